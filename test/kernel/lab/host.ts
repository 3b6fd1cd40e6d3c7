import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Orders, Reply } from './agent.ts'

/** `ocf-tester` alone starts and stops a director many times, which takes more than a minute on a loaded machine. */
const hangsAfterMs = 170_000

const agentFile = fileURLToPath(new URL('agent.js', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A network namespace as a machine: runs commands, and one agent that serves and fetches. */
export interface Host {
  readonly name: string
  /** Runs a program in it to its end; never throws for its exit code. */
  run(program: string, ...args: readonly string[]): Promise<Ran>
  /** As `run`, but a bad end throws with what the program said. */
  must(program: string, ...args: readonly string[]): Promise<string>
  /** Starts a program in it; killed with the host. */
  spawn(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
  /** Tells the agent, which is started at the first order. */
  tell<Order extends keyof Orders>(
    order: Order,
    options: Parameters<Orders[Order]>[0],
  ): Promise<Awaited<ReturnType<Orders[Order]>>>
  /** The lines of `ipvsadm -Sn`, sorted within each service, which keep their order. */
  table(): Promise<readonly string[]>
  /**
   * Changes when the table does, thresholds excepted, and costs no process: with `table` alone the waiting would eat the
   * one core on which what is awaited must run.
   */
  fingerprint(): Promise<string>
  close(): Promise<void>
}

/** The namespace `name` must exist (topology.ts makes it). */
export function createHost(name: string): Host {
  const children = new Set<ChildProcess>()
  let agent: ReturnType<typeof startAgent> | undefined
  let anchor: ChildProcess | undefined

  const start: Host['spawn'] = (program, args, env = {}) => {
    const child = spawn('ip', ['netns', 'exec', name, program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const run: Host['run'] = (program, ...args) =>
    new Promise((resolve) => {
      const words = ['netns', 'exec', name, program, ...args]
      const child = execFile('ip', words, { timeout: hangsAfterMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr }),
      )
      child.stdin?.end()
    })
  const must: Host['must'] = async (program, ...args) => {
    const { code, stdout, stderr } = await run(program, ...args)
    if (code !== 0) throw new Error(`${name}: ${program} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }
  return {
    name,
    run,
    must,
    spawn: start,
    tell: (order, options) => {
      agent ??= startAgent(name)
      return agent.tell(order, options)
    },
    table: async () => inOrder(await must('ipvsadm', '-Sn')),
    fingerprint: async () => {
      anchor ??= start('sleep', ['infinity'])
      // Not there before the module is loaded.
      const listing = await readFile(`/proc/${anchor.pid}/net/ip_vs`, 'utf8').catch(() => '')
      return listing.replace(/ +\d+ +\d+ *$/gm, '')
    },
    close: async () => {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all([...children].map((child) => new Promise((resolve) => child.once('exit', resolve))))
      await agent?.close()
    },
  }
}

/** Services sorted, and destinations sorted within each: the kernel's order is that of its hash and of history. */
export function inOrder(listing: string): readonly string[] {
  const services = listing.split(/^ *(?=-A)/m).map((text) => text.split('\n').map((line) => line.trim()))
  return services
    .map(([head = '', ...rest]) => [head, ...rest.filter((line) => line !== '').sort()])
    .filter(([head]) => head !== '')
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
    .flat()
}

function startAgent(namespace: string): Pick<Host, 'tell' | 'close'> {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, agentFile], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // It is no part of the product: its coverage would only cost time.
    env: { ...process.env, NODE_V8_COVERAGE: '' },
  })
  const waiting = new Map<number, (reply: Reply | { error: string }) => void>()
  let calls = 0
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  child.once('exit', () => {
    for (const settle of waiting.values()) settle({ error: `the agent of ${namespace} has ended` })
  })
  return {
    tell: (order, options) =>
      new Promise((resolve, reject) => {
        const id = ++calls
        waiting.set(id, (reply) =>
          'error' in reply
            ? reject(new Error(`${namespace}: ${order}: ${reply.error}`))
            : resolve(reply.value as never),
        )
        child.send({ id, order, options })
      }),
    close: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
