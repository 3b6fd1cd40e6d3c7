import { setTimeout as delay } from 'node:timers/promises'
import { attend, type RunningDaemon, replaceConfig, writeConfig } from '../kernel/lab/director.ts'
import { eventually } from '../kernel/lab/eventually.ts'
import type { Host } from '../kernel/lab/host.ts'
import type { Arena } from '../kernel/lab/topology.ts'
import { isThere, type Pool, type Program, peers } from './programs.ts'
import type { PerProgram } from './results.ts'
import type { Servers } from './servers.ts'

/** The network all stand in, and the servers they check. */
export interface Ring {
  readonly arena: Arena
  readonly servers: Servers
}

/** A program at work in a namespace and a table of its own. */
export interface Contestant {
  readonly program: Program
  readonly pid: number
  /** The address from which its probes come. */
  readonly address: string
  readonly startedAt: number
  /** Waits until the table says so. Gives the moment, on the clock of `performance.now`. */
  sees(what: string, isSo: (table: string) => boolean, withinMs?: number): Promise<number>
  reload(pool: Pool): void
  stop(): Promise<void>
}

/** How often a table is looked at: also the resolution of what is measured. */
const lookEveryMs = 20
const patienceMs = 90_000

export async function startProgram(ring: Ring, program: Program, pool: Pool): Promise<Contestant> {
  const director = await ring.arena.director()
  // Brings the kernel's module in and starts the process by which the table is read, so that neither is measured.
  await director.must('ipvsadm', '-Sn')
  await director.fingerprint()
  const address = /inet ([\d.]+)/.exec(await director.must('ip', '-4', 'addr', 'show', 'dev', 'e0'))?.[1] ?? ''
  const file = writeConfig(peers[program].config(pool))
  const [name = '', ...args] = peers[program].command(file)
  const startedAt = performance.now()
  const daemon = attend(director.spawn(name, args))
  return {
    program,
    pid: daemon.pid,
    address,
    startedAt,
    sees: (what, isSo, withinMs = patienceMs) => awaited({ program, director, daemon, what, isSo, withinMs }),
    reload: (next) => {
      replaceConfig(file, peers[program].config(next))
      daemon.signal('SIGHUP')
    },
    stop: async () => {
      daemon.signal('SIGTERM')
      await Promise.race([daemon.ended, delay(5000)])
      await director.close()
    },
  }
}

interface Awaited {
  readonly program: Program
  readonly director: Host
  readonly daemon: RunningDaemon
  readonly what: string
  readonly isSo: (table: string) => boolean
  readonly withinMs: number
}

async function awaited({ program, director, daemon, what, isSo, withinMs }: Awaited): Promise<number> {
  const look = async (): Promise<number | undefined> =>
    isSo(await director.fingerprint()) ? performance.now() : undefined
  return await eventually(`${program}: ${what}`, look, { withinMs, everyMs: lookEveryMs }, () =>
    daemon.log().slice(-2000),
  )
}

const startOrder: readonly Program[] = ['perl', 'keepalived', 'ours']

export interface Contest {
  readonly poolOf: (program: Program) => Pool
  /** How many real servers a complete table has. */
  readonly completeOf: (program: Program) => number
}

/** All that are installed, side by side, their tables complete; stopped when `work` has ended, however it ended. */
export async function withAll<T>(
  ring: Ring,
  { poolOf, completeOf }: Contest,
  work: (contestants: readonly Contestant[]) => Promise<T>,
): Promise<T> {
  const contestants: Contestant[] = []
  try {
    // The slowest to start goes first and alone: beside two that probe already it would take three times as long.
    for (const program of startOrder.filter(isThere)) {
      const contestant = await startProgram(ring, program, poolOf(program))
      contestants.push(contestant)
      await contestant.sees('all that work', hasDestinations(completeOf(program)))
    }
    return await work(contestants)
  } finally {
    await Promise.all(contestants.map((each) => each.stop()))
  }
}

/** One value of each, by name. */
export async function ofEach<T>(
  contestants: readonly Contestant[],
  value: (contestant: Contestant) => Promise<T> | T,
): Promise<PerProgram<T>> {
  const entries = await Promise.all(contestants.map(async (each) => [each.program, await value(each)] as const))
  return Object.fromEntries(entries) as PerProgram<T>
}

/** A destination as /proc/net/ip_vs writes it. */
export function destinationLine(address: string, port: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')
  const octets = address.split('.').map((octet) => hex(Number(octet), 2))
  return `-> ${octets.join('')}:${hex(port, 4)} `
}

export const hasDestinations =
  (count: number) =>
  (table: string): boolean =>
    destinationsIn(table) === count

const destinationsIn = (table: string): number => table.match(/^ +-> [0-9A-F]{8}:/gm)?.length ?? 0
