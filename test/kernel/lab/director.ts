import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { eventually, type Patience } from './eventually.ts'
import { type Host, inOrder, type Ran } from './host.ts'

/**
 * The command as a user of the package has it: a start reads a dozen files where the checkout has hundreds, and in
 * user-mode Linux each of them costs. The run of the lab makes it anew.
 */
const bundled = resolve('dist/lab/ldirectord-ng.js')
export const command = [process.execPath, existsSync(bundled) ? bundled : resolve('bin/ldirectord-ng')] as const

/** Our daemon in the foreground, in a director's namespace. */
export interface RunningDaemon {
  readonly pid: number
  /** Everything it has said so far, log and errors. */
  log(): string
  signal(name: NodeJS.Signals): void
  /** Resolves with exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Waits for a line of its log that matches and is younger than the last `mark`. */
  says(pattern: RegExp, patience?: Patience): Promise<void>
  /** From now on `says` looks only at what comes. */
  mark(): void
}

let files = 0

/** Writes a configuration where a watch works, under a name of its own (the instance is named after it). */
export function writeConfig(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'cf-'))
  files += 1
  const file = join(directory, `lab${files}.cf`)
  writeFileSync(file, unindent(text))
  return file
}

/** As an editor does it: a new file takes the name. */
export function replaceConfig(file: string, text: string): void {
  writeFileSync(`${file}.new`, unindent(text))
  renameSync(`${file}.new`, file)
}

/** Takes the indentation of the first line from all, so that a test can indent its configuration. */
export function unindent(text: string): string {
  const lines = text.replace(/^\n/, '').split('\n')
  const margin = /^ */.exec(lines[0] ?? '')?.[0] ?? ''
  return lines.map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.trimStart())).join('\n')
}

export function startDaemon(host: Host, config: string, env: NodeJS.ProcessEnv = {}): RunningDaemon {
  const [program, ...args] = command
  return attend(host.spawn(program, [...args, 'run', config, '--log', 'stdout'], env))
}

/** Watches any program that logs to its standard output or error. */
export function attend(child: ChildProcess): RunningDaemon {
  let output = ''
  let from = 0
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number | NodeJS.Signals>((settle) =>
    child.once('close', (code, signal) => settle(code ?? signal ?? -1)),
  )
  return {
    pid: child.pid ?? -1,
    ended,
    log: () => output,
    signal: (name) => void child.kill(name),
    mark: () => {
      from = output.length
    },
    says: async (pattern, patience) => {
      const probe = (): true | undefined => {
        if (pattern.test(output.slice(from))) return true
        return undefined
      }
      await eventually(`the line ${pattern}`, probe, patience, () => output.slice(from))
    },
  }
}

/** Runs one verb of the command to its end in the host's namespace. */
export function cli(host: Host, ...words: readonly string[]): Promise<Ran> {
  const [program, ...args] = command
  return host.run(program, ...args, ...words)
}

/** Waits until the host's whole table is exactly this. */
export async function tableBecomes(
  host: Host,
  wanted: string,
  { daemon, ...patience }: Patience & { readonly daemon?: RunningDaemon } = {},
): Promise<void> {
  const lines = lined(wanted)
  const read = tableReader(host)
  let seen = ''
  const probe = async (): Promise<true | undefined> => {
    seen = await read()
    return seen === lines ? true : undefined
  }
  await eventually(`this table\n${lines}`, probe, patience, () => {
    return `but it was\n${seen}\n${daemon === undefined ? '' : `and the daemon said\n${daemon.log()}`}`
  })
}

const readAnywayMs = 2000

/** Gives the host's table as one text; asks for it only when it has changed, or every other second. */
export function tableReader(host: Host): () => Promise<string> {
  let print: string | undefined
  let seen = ''
  let readAt = 0
  return async () => {
    const now = await host.fingerprint()
    if (now !== print || performance.now() - readAt > readAnywayMs) {
      print = now
      seen = (await host.table()).join('\n')
      readAt = performance.now()
    }
    return seen
  }
}

/** A table as a test writes it, in the form that `Host.table` gives. */
const lined = (text: string): string => inOrder(unindent(text)).join('\n')
