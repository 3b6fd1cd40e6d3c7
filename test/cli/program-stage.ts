import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { temporaryFolder } from '../log/temporary.ts'

const main = JSON.stringify(new URL('../../src/main.js', import.meta.url).href)

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The program as real processes in a folder of its own; what is left after a test is ended. */
export function programStage() {
  const folder = temporaryFolder()
  const children: ChildProcess[] = []
  const servers: Server[] = []

  const launch = (...args: string[]): { child: ChildProcess; ended: Promise<Ended> } => launchUnder([], ...args)
  const launchUnder = (
    prefix: readonly string[],
    ...args: string[]
  ): { child: ChildProcess; ended: Promise<Ended> } => {
    const script = folder.path('ldirectord-ng.mjs')
    if (!existsSync(script)) {
      writeFileSync(
        script,
        `import { main } from ${main}\nprocess.exitCode = await main(process.argv)\nprocess.exit()\n`,
      )
    }
    const own = { LDIRECTORD_NG_RUN_DIR: folder.path('.'), LDIRECTORD_NG_STATE_DIR: folder.path('state') }
    const env = { ...process.env, ...own, JOURNAL_STREAM: '' }
    const [program = process.execPath, ...words] = [...prefix, process.execPath, script, ...args]
    const child = spawn(program, words, { env, cwd: folder.path('.'), stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
    return { child, ended }
  }
  const listen = async (port = 0): Promise<number> => {
    const server = createServer((socket) => socket.destroy())
    servers.push(server)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as { port: number }).port
  }

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  })

  return {
    folder,
    servers,
    launch,
    /** As `launch`, by a program that becomes it, such as setpriv. */
    launchUnder,
    command: (...args: string[]): Promise<Ended> => launch(...args).ended,
    /** A server on loopback that accepts and closes; gives its port. */
    listen,
    file: (name: string): string => {
      try {
        return readFileSync(folder.path(name), 'utf8')
      } catch {
        return ''
      }
    },
    /** Until mocha's time is over. */
    until: async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
    },
  }
}
