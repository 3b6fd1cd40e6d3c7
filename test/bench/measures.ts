import { setTimeout as delay } from 'node:timers/promises'
import {
  type Contestant,
  destinationLine,
  hasDestinations,
  ofEach,
  type Ring,
  startProgram,
  withAll,
} from './contest.ts'
import { cpuSeconds, pssKib } from './processes.ts'
import { isThere, type Pool, type Program, programs } from './programs.ts'
import type { Effort, LabResults, PerProgram } from './results.ts'
import { sizes } from './sizes.ts'

const ports = { many: 80, detection: 81 }
const restMs = 20_000
const minuteMs = 60_000

const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `10.50.${1 + Math.floor(at / 100)}.${1 + (at % 100)}`)

const countFor = (program: Program, count: number): number => (program === 'perl' ? sizes.perl : count)

/** Every fourth is silent: wherever a program is in its round, some are before it. */
const isSilent = (at: number): boolean => at % (sizes.detection / sizes.silent) === 1

/** A server that worked is killed; the time until it is out of each table. All see the same deaths. */
export async function measureDetection(ring: Ring): Promise<PerProgram<number[]>> {
  const reals = addresses(sizes.detection)
  for (const [at, address] of reals.entries()) {
    await ring.servers.listen({ address, port: ports.detection, silent: isSilent(at) })
  }
  const pool: Pool = { check: 'http', reals, port: ports.detection, intervalSeconds: 1 }
  const victims = reals.filter((_, at) => !isSilent(at)).filter((_, at) => at % 3 === 1)
  return await withAll(
    ring,
    { poolOf: () => pool, completeOf: () => sizes.detection - sizes.silent },
    async (contestants) => {
      const found: PerProgram<number[]> = {}
      for (const [at, address] of victims.slice(0, sizes.kills).entries()) {
        // Not always at the same place of a round, which with five time-outs in a row lasts eleven seconds.
        await delay(500 + at * 1700)
        const line = destinationLine(address, ports.detection)
        const killedAt = performance.now()
        await ring.servers.kill({ address, port: ports.detection })
        const times = await ofEach(contestants, async (each) => {
          return (await each.sees(`${address} out`, (table) => !table.includes(line))) - killedAt
        })
        for (const { program } of contestants)
          found[program] = [...(found[program] ?? []), times[program] ?? Number.NaN]
      }
      return found
    },
  )
}

/** CPU and probes of a while in which nothing happens. What was probed is what the servers counted. */
export async function measureEffort(ring: Ring, check: 'http' | 'connect'): Promise<PerProgram<Effort>> {
  const poolOf = (program: Program): Pool => ({
    check,
    reals: addresses(countFor(program, sizes.atRest)),
    port: ports.many,
    intervalSeconds: 1,
  })
  return await withAll(ring, { poolOf, completeOf: (program) => poolOf(program).reals.length }, async (contestants) => {
    await delay(3000)
    const readAll = async (): Promise<PerProgram<Effort>> => {
      const counts = await ring.servers.count()
      return ofEach(contestants, ({ pid, address }) => ({
        probes: counts[address] ?? 0,
        cpuSeconds: cpuSeconds(pid),
      }))
    }
    const before = await readAll()
    await delay(restMs)
    const after = await readAll()
    return ofEach(contestants, ({ program }) => ({
      probes: (after[program]?.probes ?? 0) - (before[program]?.probes ?? 0),
      cpuSeconds: (after[program]?.cpuSeconds ?? 0) - (before[program]?.cpuSeconds ?? 0),
    }))
  })
}

type Size = Pick<LabResults, 'startMs' | 'reloadMs' | 'pssKib'>

/** Start, reload and memory with 200 real servers; Perl's are not checked, the others' are connected to. */
export async function measureSize(ring: Ring): Promise<Size> {
  const poolOf = (program: Program): Pool => ({
    check: program === 'perl' ? 'on' : 'connect',
    reals: addresses(countFor(program, sizes.large)),
    port: ports.many,
    intervalSeconds: 10,
  })
  const startMs: PerProgram<number[]> = {}
  const running: Contestant[] = []
  try {
    for (const program of programs.filter(isThere)) {
      const samples: number[] = []
      for (let n = 1; n <= sizes.starts; n++) {
        const contestant = await startProgram(ring, program, poolOf(program))
        running.push(contestant)
        samples.push(
          (await contestant.sees('all', hasDestinations(poolOf(program).reals.length))) - contestant.startedAt,
        )
        if (n < sizes.starts) await running.pop()?.stop()
      }
      startMs[program] = samples
    }
    const lastStart = performance.now()
    // One after the other: what one does would slow another.
    const reloadMs: PerProgram<number[]> = {}
    for (const each of running) reloadMs[each.program] = await reloadTimes(each, poolOf(each.program))
    await delay(Math.max(0, minuteMs - (performance.now() - lastStart)))
    return { startMs, reloadMs, pssKib: await ofEach(running, ({ pid }) => pssKib(pid)) }
  } finally {
    await Promise.all(running.map((each) => each.stop()))
  }
}

/** From the signal until the kernel has the one weight that changed. */
async function reloadTimes(contestant: Contestant, pool: Pool): Promise<number[]> {
  const line = destinationLine(pool.reals.at(-1) ?? '', pool.port)
  const samples: number[] = []
  for (let n = 0; n < sizes.reloads; n++) {
    await delay(1500)
    const lastWeight = 2 + n
    const changed = new RegExp(`${line}.*Masq +${lastWeight}\\b`)
    const from = performance.now()
    contestant.reload({ ...pool, lastWeight })
    samples.push((await contestant.sees(`weight ${lastWeight}`, (table) => changed.test(table))) - from)
  }
  return samples
}
