// Our side of `npm run bench -- checks`: a process with nothing in it but the checks and what runs them, that does as many
// as it is told. Started by `startOurs` with an IPC channel.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { checks } from '../../../checks/index.ts'
import type { Probe } from '../../../src/check/probe.ts'
import { makeRegistry } from '../../../src/check/registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { systemLookup } from '../../../src/config/names.ts'
import { readServices } from '../../../src/config/services.ts'
import { createLauncher } from '../../../src/health/launcher.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { endedChildrenSeconds } from '../processes.ts'
import type { Effort } from '../results.ts'

/** Check after check until both are reached. */
interface Order {
  readonly leastMs: number
  readonly leastChecks: number
}

type Answer = Effort | { readonly error: string }

export interface Ours {
  run(order: Order): Promise<Effort>
  stop(): Promise<void>
}

/** The first real server of the file is the one that is checked. */
export function startOurs(file: string): Ours {
  const child = fork(fileURLToPath(import.meta.url), ['serve', file])
  const ended = once(child, 'exit')
  return {
    run: (order) => answered(child, order),
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function answered(child: ChildProcess, order: Order): Promise<Effort> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('our process has ended'))
    child.once('exit', ended)
    child.once('message', (answer: Answer) => {
      child.off('exit', ended)
      if ('error' in answer) reject(new Error(answer.error))
      else resolve(answer)
    })
    child.send(order)
  })
}

async function readProbe(file: string): Promise<Probe> {
  const { config, diagnostics } = await loadConfig(file, {
    registry: makeRegistry(checks),
    services: readServices(),
    hostname: hostname(),
    lookup: systemLookup,
  })
  const checking = config?.virtuals[0]?.reals[0]?.checking
  if (checking?.kind !== 'probe') throw new Error(`${file} has no probe: ${JSON.stringify(diagnostics)}`)
  return checking.probe
}

/** As the daemon runs them, one after the other. */
async function work(probe: Probe, { leastMs, leastChecks }: Order): Promise<Effort> {
  const launcher = createLauncher({ clock: systemClock, concurrency: 1, isVirtualAddress: () => false })
  const { signal } = new AbortController()
  const childrenBefore = endedChildrenSeconds()
  const before = process.cpuUsage()
  const until = performance.now() + leastMs
  let probes = 0
  for (; probes < leastChecks || performance.now() < until; probes++) {
    const run = await launcher.launch(probe, { signal, warn: () => undefined })
    if (run?.result.verdict !== 'up') throw new Error(`a check failed: ${JSON.stringify(run?.result)}`)
  }
  const { user, system } = process.cpuUsage(before)
  return { probes, cpuSeconds: (user + system) / 1e6 + endedChildrenSeconds() - childrenBefore }
}

async function serve(file: string): Promise<void> {
  // One probe, read once: all that is shared between runs in the daemon is shared here.
  const probe = readProbe(file)
  process.once('disconnect', () => process.exit(0))
  process.on('message', async (order: Order) => {
    const answer: Answer = await probe
      .then((each) => work(each, order))
      .catch((error: unknown) => ({ error: String(error) }))
    process.send?.(answer)
  })
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(process.argv[3] ?? '')
}
