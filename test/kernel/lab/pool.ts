import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fetched } from './agent.ts'
import { type RunningDaemon, startDaemon, tableReader } from './director.ts'
import { eventually } from './eventually.ts'
import type { Host } from './host.ts'
import { masqTopology, type Topology } from './topology.ts'

/** The servers of the pool: `r1` and `r2` on port 80, `r3` on port 8080 of the first machine, `sorry` on the director. */
export type ServerName = 'r1' | 'r2' | 'r3' | 'sorry'

/** Two machines behind a director, with web servers that die and return, for many tests one after the other. */
export interface Pool extends Topology {
  die(...names: readonly ServerName[]): Promise<void>
  rise(...names: readonly ServerName[]): Promise<void>
  start(config: string): RunningDaemon
  /** A client that fetches from the virtual address, and an eye on the table, until `end`. */
  watch(): Promise<Watch>
  /** After a test: no daemon, an empty table, every server but r3 there. */
  reset(): Promise<void>
}

export interface Watch {
  /** Waits until a request that the client begins from now on gets this answer. */
  gets(body: ServerName): Promise<void>
  end(): Promise<Watched>
}

export interface Watched {
  readonly fetched: readonly Fetched[]
  /** Requests without an answer of a server. */
  readonly failed: readonly Fetched[]
  /** Each different `ipvsadm -Sn` that was seen, in the order of its first sight. */
  readonly tables: readonly string[]
  /** Those of them in which the virtual address has no destination with a weight. */
  readonly empty: readonly string[]
}

/** A client that saw no gap, before a table that never lacked a destination. */
export function assertUnbroken({ fetched, failed, empty }: Watched): void {
  assert.deepEqual(failed, [])
  assert.deepEqual(empty, [])
  assert.ok(fetched.length > 5, `only ${fetched.length} requests were made`)
}

/** A request that was under way to a server at its removal is lost with it, and the client makes one at a time. */
export function assertOneLostAtMost({ fetched, failed, empty }: Watched): void {
  assert.ok(failed.length <= 1, JSON.stringify(failed))
  assert.deepEqual(empty, [])
  assert.ok(fetched.length > 5, `only ${fetched.length} requests were made`)
}

const sampleEveryMs = 250
const fetchEveryMs = 30
const usual = ['r1', 'r2', 'sorry'] as const

export async function createPool(): Promise<Pool> {
  const lab = await masqTopology()
  const { director, client, reals, vip } = lab
  const running = new Set<ServerName>()
  const places: Readonly<Record<ServerName, { host: Host; port: number }>> = {
    r1: { host: reals[0], port: 80 },
    r2: { host: reals[1], port: 80 },
    r3: { host: reals[0], port: 8080 },
    sorry: { host: director, port: 80 },
  }
  const rise: Pool['rise'] = async (...names) => {
    for (const name of names.filter((each) => !running.has(each))) {
      const { host, port } = places[name]
      await host.tell('serve', { port, says: name })
      running.add(name)
    }
  }
  const die: Pool['die'] = async (...names) => {
    for (const name of names.filter((each) => running.has(each))) {
      const { host, port } = places[name]
      await host.tell('silence', { port })
      running.delete(name)
    }
  }
  await rise(...usual)
  return {
    ...lab,
    die,
    rise,
    start: (config) => startDaemon(director, config),
    watch: () => watch({ client, director, vip }),
    reset: async () => {
      await client.tell('load', { end: true })
      killDaemons()
      await director.must('ipvsadm', '-C')
      rmSync('/run/ldirectord-ng', { recursive: true, force: true })
      await die('r3')
      await rise(...usual)
    },
  }
}

/** Every daemon in the guest, by its pid file: also those that were started in the background. */
function killDaemons(): void {
  for (const name of readdirSync('/run').filter((each) => /^ldirectord\..*\.pid$/.test(each))) {
    const pid = Number(readFileSync(`/run/${name}`, 'utf8'))
    rmSync(`/run/${name}`)
    try {
      if (pid > 1) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended before its file was gone.
    }
  }
}

async function watch({ client, director, vip }: Pick<Topology, 'client' | 'director' | 'vip'>): Promise<Watch> {
  const tables = new Set<string>()
  let isOpen = true
  const read = tableReader(director)
  const sample = async (): Promise<void> => {
    while (isOpen) {
      tables.add(await read())
      await delay(sampleEveryMs)
    }
  }
  const sampling = sample()
  // A failure is told by `end`; until then it must not be an unhandled rejection.
  sampling.catch(() => undefined)
  await client.tell('startLoad', { url: `http://${vip}/`, everyMs: fetchEveryMs })
  return {
    gets: async (body) => {
      const from = Date.now()
      await eventually(`the client gets ${body}`, async () => {
        const fetched = await client.tell('load', { end: false })
        return fetched.some((one) => 'body' in one && one.body === body && one.startedAt >= from) ? true : undefined
      })
    },
    end: async () => {
      const fetched = await client.tell('load', { end: true })
      isOpen = false
      await sampling
      const serving = new RegExp(`^-a -t ${vip}:80 .* -w [1-9]`, 'm')
      return {
        fetched,
        failed: fetched.filter((one) => 'error' in one),
        tables: [...tables],
        empty: [...tables].filter((table) => !serving.test(table)),
      }
    },
  }
}
