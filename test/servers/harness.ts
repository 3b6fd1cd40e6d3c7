import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findProgram, type Program } from './needs.ts'

/** What a server needs while it is prepared and started; everything runs as an account without rights. */
export interface Site {
  /** Its own, empty at first, with a short path: a Unix socket's path ends at 107 bytes. */
  readonly directory: string
  /** Free a moment ago. */
  readonly ports: readonly number[]
  /** Runs a program to its end as the server's account; throws with its output when it fails. */
  run(program: Program, args: readonly string[]): Promise<string>
}

export interface ServerPlan {
  readonly program: Program
  /** How many free ones it needs, or just these. */
  readonly ports: number | readonly number[]
  prepare?(site: Site): Promise<void>
  args(site: Site): readonly string[]
  /** Asks the server a real question of its protocol; throws or gives false while it cannot answer. */
  isReady(site: Site): Promise<boolean>
}

/** A real server from a Debian package, in the foreground on loopback. */
export interface RunningServer extends Site {
  /** SIGSTOP: the kernel goes on accepting for it, and nothing is said. */
  freeze(): void
  thaw(): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Ends it, however it is, and removes its directory. */
  stop(): Promise<void>
}

const readyWithinMs = 30_000
const stopGraceMs = 3000
const execute = promisify(execFile)

/** Starts one; other ports are tried when somebody was faster in taking one. */
export async function startServer(plan: ServerPlan): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const started = await tryStart(plan, typeof plan.ports === 'number' ? await freePorts(plan.ports) : plan.ports)
    if ('pid' in started) return started
    if (attempt === 3 || !/address (already )?in use/i.test(started.output)) throw new Error(started.output)
  }
}

/** In this process's group and forgotten by no way out: whoever ends the test run ends its servers too. */
const running = new Map<ChildProcess, string>()
process.once('exit', () => {
  for (const [child, directory] of running) {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
})

async function tryStart(
  plan: ServerPlan,
  ports: readonly number[],
): Promise<(RunningServer & { pid: number }) | { output: string }> {
  const account = await unprivileged()
  const directory = await mkdtemp(join(tmpdir(), 'ldng-'))
  const removeDirectory = (): Promise<void> => rm(directory, { recursive: true, force: true })
  const site: Site = { directory, ports, run: (program, args) => runAs(account, program, args) }
  try {
    await chmod(directory, 0o755)
    if (account.uid !== undefined && account.gid !== undefined) await chown(directory, account.uid, account.gid)
    await plan.prepare?.(site)
  } catch (error) {
    await removeDirectory()
    throw error
  }
  const child = spawn(pathOf(plan.program), plan.args(site), { ...account, stdio: ['ignore', 'pipe', 'pipe'] })
  running.set(child, directory)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  let output = `${plan.program}: `
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const kill = async (): Promise<void> => {
    // stopped first, so that it has no new children while these are counted
    signalFamily(child, 'SIGSTOP')
    const family = signalFamily(child, 'SIGKILL')
    await ended
    while (family.some(isAlive)) await delay(2)
  }
  const stop = async (): Promise<void> => {
    signalFamily(child, 'SIGCONT')
    child.kill('SIGTERM')
    await Promise.race([ended, delay(stopGraceMs, undefined, { ref: false })])
    await kill()
    await removeDirectory()
    running.delete(child)
  }
  if (child.pid === undefined || !(await becomesReady(plan, site, child))) {
    await stop()
    return { output: `${output}\n(ended, or not ready within ${readyWithinMs} ms)` }
  }
  const freeze = (): void => void signalFamily(child, 'SIGSTOP')
  const thaw = (): void => void signalFamily(child, 'SIGCONT')
  return { ...site, pid: child.pid, freeze, thaw, kill, stop }
}

/** To the server and all its children: some of them accept connections themselves, and outlive their parent. */
function signalFamily(child: ChildProcess, signal: NodeJS.Signals): readonly number[] {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return []
  const family = [child.pid, ...descendantsOf(child.pid)]
  for (const pid of family) {
    try {
      process.kill(pid, signal)
    } catch {
      // it has ended by itself
    }
  }
  return family
}

/** Not gone, and not a zombie that nobody has taken note of. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

function descendantsOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
    return children.flatMap((each) => [each, ...descendantsOf(each)])
  } catch {
    return []
  }
}

async function becomesReady(plan: ServerPlan, site: Site, child: ChildProcess): Promise<boolean> {
  const until = performance.now() + readyWithinMs
  while (performance.now() < until && child.exitCode === null && child.signalCode === null) {
    if (await plan.isReady(site).catch(() => false)) return true
    await delay(5)
  }
  return false
}

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** `nobody` when we are root, else ourselves: several servers behave otherwise, or refuse, under root. */
async function unprivileged(): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('nobody:'))
  const [, , uid, gid] = (line ?? '').split(':').map(Number)
  if (uid === undefined || gid === undefined) throw new Error('no account nobody in /etc/passwd')
  return { uid, gid }
}

async function runAs(account: Account, program: Program, args: readonly string[]): Promise<string> {
  const options = { ...account, cwd: '/', timeout: readyWithinMs, env: { ...process.env, HOME: '/nonexistent' } }
  const { stdout } = await execute(pathOf(program), args, options)
  return stdout
}

function pathOf(program: Program): string {
  const path = findProgram(program)
  if (path === undefined) throw new Error(`there is no ${program}`)
  return path
}

/** None of these servers can say which port it got when asked for 0. Held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(address !== null && typeof address === 'object' ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
