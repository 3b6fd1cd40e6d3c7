import { execFile } from 'node:child_process'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { codeOf, messageOf } from '../lib/errors.ts'

/** What is asked besides files. */
export interface Machine {
  /** Stands before every path that is read: empty for this machine, a folder that stands for it in tests. */
  readonly root: string
  /** Where programs are looked for. */
  readonly path: string
  /** Root sees all rules of the packet filter; to others an empty listing means nothing. */
  readonly isRoot: boolean
  interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>
  run(program: string, args: readonly string[]): Promise<Ran>
  nowMs(): number
}

export type Ran =
  | { readonly kind: 'ran'; readonly stdout: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly reason: string }

/** Listing rules takes milliseconds; what holds a lock longer is not waited for. */
const LIMIT_MS = 5000
const MOST_BYTES = 16 * 1024 * 1024
/** Where a daemon finds programs, and an ordinary user's PATH often lacks. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function thisMachine(): Machine {
  const path = [process.env['PATH'] ?? '', SYSTEM_PATH].filter((each) => each !== '').join(':')
  return {
    root: '',
    path,
    isRoot: process.geteuid?.() === 0,
    interfaces: networkInterfaces,
    run: (program, args) => run(program, args, path),
    nowMs: Date.now,
  }
}

/** No shell, no input, five seconds, 16 MiB; never rejects. */
function run(program: string, args: readonly string[], path: string): Promise<Ran> {
  const options = {
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_BYTES,
    env: { ...process.env, PATH: path, LC_ALL: 'C' },
  } as const
  return new Promise((resolve) => {
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ kind: 'ran', stdout })
      else if (codeOf(error) === 'ENOENT') resolve({ kind: 'absent' })
      else if (error.killed === true && codeOf(error) === undefined) {
        resolve({ kind: 'failed', reason: `${program} did not end within ${LIMIT_MS / 1000} s` })
      } else resolve({ kind: 'failed', reason: reasonOf(program, stderr, error) })
    })
    child.stdin?.end()
  })
}

/** Its first line, without the program's name when it says that itself. */
function reasonOf(program: string, stderr: string, error: Error): string {
  const [line = ''] = stderr.trim().split('\n')
  if (line === '') return messageOf(error)
  return line.startsWith(program) ? line : `${program}: ${line}`
}
