import type { Serve } from '../kernel/lab/agent.ts'
import { attend, command, type RunningDaemon, replaceConfig, writeConfig } from '../kernel/lab/director.ts'
import type { Host } from '../kernel/lab/host.ts'
import { type Arena as Network, serverArena } from '../kernel/lab/topology.ts'

/** Two directors side by side before the same servers: Perl ldirectord and ours. */
export const programs = ['perl', 'ours'] as const
export type Program = (typeof programs)[number]

/** Debian's own program is called `ldirectord`; with -d it stays in the foreground and writes no pid file. */
const commandOf: Readonly<Record<Program, (config: string) => readonly string[]>> = {
  perl: (config) => ['/usr/sbin/ldirectord', '-d', config, 'start'],
  ours: (config) => [...command, 'run', config, '--log', 'stdout'],
}

/** One of the two, in a namespace of its own. */
export interface Contestant {
  readonly program: Program
  readonly director: Host
  start(): void
  /** TERM, and waits for the end. */
  stop(): Promise<void>
  reload(config: string): void
  log(): string
}

/** What a scenario's steps act on; servers are common, the rest is done to both. */
export interface Stage {
  readonly contestants: readonly [Contestant, Contestant]
  serve(options: Serve & { readonly address: string }): Promise<void>
  silence(address: string, port: number): Promise<void>
  /** A command in both directors' namespaces. */
  both(program: string, ...args: readonly string[]): Promise<void>
  startBoth(): void
  stopBoth(): Promise<void>
  reloadBoth(config: string): void
  close(): Promise<void>
}

export interface Arena {
  stage(config: string): Promise<Stage>
  close(): Promise<void>
}

export async function openArena(): Promise<Arena> {
  const network = await serverArena()
  return { stage: (config) => openStage(network, config), close: () => network.close() }
}

async function openStage(network: Network, config: string): Promise<Stage> {
  const [perl, ours] = await Promise.all([network.director(), network.director()])
  const contestants = [contestant('perl', perl, config), contestant('ours', ours, config)] as const
  return {
    contestants,
    serve: (options) => network.servers.tell('serve', options),
    silence: (address, port) => network.servers.tell('silence', { address, port }),
    both: async (program, ...args) => {
      for (const { director } of contestants) await director.must(program, ...args)
    },
    startBoth: () => {
      for (const each of contestants) each.start()
    },
    stopBoth: async () => {
      await Promise.all(contestants.map((each) => each.stop()))
    },
    reloadBoth: (text) => {
      for (const each of contestants) each.reload(text)
    },
    close: async () => {
      await Promise.all(contestants.map(({ director }) => director.close()))
    },
  }
}

function contestant(program: Program, director: Host, config: string): Contestant {
  const file = writeConfig(config)
  const runs: RunningDaemon[] = []
  const current = (): RunningDaemon => {
    const last = runs.at(-1)
    if (last === undefined) throw new Error(`${program} has not been started`)
    return last
  }
  return {
    program,
    director,
    start: () => {
      const [name = '', ...args] = commandOf[program](file)
      runs.push(attend(director.spawn(name, args)))
    },
    stop: async () => {
      current().signal('SIGTERM')
      await current().ended
    },
    reload: (text) => {
      replaceConfig(file, text)
      current().signal('SIGHUP')
    },
    log: () => runs.map((run) => run.log()).join('--- started again\n'),
  }
}
