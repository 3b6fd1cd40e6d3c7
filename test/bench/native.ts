import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemLookup } from '../../src/config/names.ts'
import { readServices } from '../../src/config/services.ts'
import { subscriptionsOf } from '../../src/control/director.ts'
import { checkOnce } from '../../src/health/check-once.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { command, writeConfig } from '../kernel/lab/director.ts'
import { cpuSeconds, rssKib } from './processes.ts'
import type { NativeResults } from './results.ts'
import { page, type Servers, startServers } from './servers.ts'

const loop = { reals: 200, rounds: 50, warmUpRounds: 10, concurrency: 100 }
const rest = { virtuals: 20, realsEach: 100, settleMs: 15_000, forMs: 20_000 }

/** What needs no IPVS, on the host itself: the price of a probe, and of many real servers at rest with a table in memory. */
export async function measureNatively(): Promise<NativeResults> {
  const servers = startServers()
  try {
    const ports: number[] = []
    for (let n = 0; n < rest.virtuals * rest.realsEach; n++) {
      ports.push(await servers.listen({ address: '127.0.0.1', port: 0 }))
    }
    const atRest = await measureAtRest(servers, ports)
    const some = ports.slice(0, loop.reals)
    return {
      atRest,
      probesPerCpuSecond: { http: await probeAll('http', some), connect: await probeAll('connect', some) },
    }
  } finally {
    await servers.close()
  }
}

const http = `    service=http\n    request="index.html"\n    receive="${page}"\n`

function virtual(at: number, ports: readonly number[], check: string): string {
  return `virtual=10.9.9.${1 + at}:80
${ports.map((port) => `    real=127.0.0.1:${port} masq\n`).join('')}${check}`
}

/** Probes per second of our own CPU; the servers are another process. */
async function probeAll(check: 'http' | 'connect', ports: readonly number[]): Promise<number> {
  const file = writeConfig(virtual(0, ports, check === 'http' ? http : '    checktype=connect\n'))
  const { config } = await loadConfig(file, {
    registry: makeRegistry(checks),
    services: readServices(),
    hostname: hostname(),
    lookup: systemLookup,
  })
  if (config === undefined) throw new Error(`${file} is not taken`)
  const subscriptions = subscriptionsOf(config)
  const options = { subscriptions, clock: systemClock, concurrency: loop.concurrency, isVirtualAddress: () => false }
  const rounds = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      for (const { result } of (await checkOnce(options)).values()) {
        if (result.verdict !== 'up') throw new Error(`a probe failed: ${result.reason}: ${result.detail}`)
      }
    }
  }
  await rounds(loop.warmUpRounds)
  const before = process.cpuUsage()
  await rounds(loop.rounds)
  const { user, system } = process.cpuUsage(before)
  return (loop.rounds * ports.length * 1e6) / (user + system)
}

/** The daemon as it is shipped, http checks every ten seconds. */
async function measureAtRest(servers: Servers, ports: readonly number[]): Promise<NativeResults['atRest']> {
  const virtuals = Array.from({ length: rest.virtuals }, (_, at) =>
    virtual(at, ports.slice(at * rest.realsEach, (at + 1) * rest.realsEach), http),
  )
  const file = writeConfig(`supervised=yes\ncheckinterval=10\n${virtuals.join('')}`)
  const [program, ...args] = command
  const daemon = spawn(program, [...args, 'run', file, '--table', 'memory', '--log', 'stdout'], { stdio: 'ignore' })
  const ended = once(daemon, 'exit')
  const probes = async (): Promise<number> => (await servers.count())['127.0.0.1'] ?? 0
  try {
    const pid = daemon.pid ?? -1
    await delay(rest.settleMs)
    const before = { cpu: cpuSeconds(pid), probes: await probes(), at: performance.now() }
    await delay(rest.forMs)
    const seconds = (performance.now() - before.at) / 1000
    return {
      reals: ports.length,
      probesPerSecond: ((await probes()) - before.probes) / seconds,
      cpuPercent: (100 * (cpuSeconds(pid) - before.cpu)) / seconds,
      rssKib: rssKib(pid),
    }
  } finally {
    daemon.kill('SIGTERM')
    await ended
  }
}
