import { type Config, destinationOf } from '../config/model.ts'
import { createDirector } from '../control/director.ts'
import { concurrencyLimit } from '../health/concurrency.ts'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { shippedFile, version } from '../lib/version.ts'
import { wordEvent } from '../log/wording.ts'
import { formatListing } from '../table/listing.ts'
import type { TableBackend } from '../table/operation.ts'
import { type CliContext, exitCode } from './context.ts'
import { createDemoServer, type DemoServer } from './demo-servers.ts'
import { loadForVerb } from './load.ts'

const demoConfig = shippedFile('etc/demo.cf')

interface Scene {
  readonly title: string
  readonly act: (stage: Stage) => Promise<unknown>
}

interface Stage {
  readonly reals: readonly DemoServer[]
  readonly sorry: DemoServer
}

const scenes: readonly Scene[] = [
  { title: 'Three web servers answer.', act: async () => undefined },
  { title: 'web1 dies.', act: ({ reals }) => Promise.all(reals.slice(0, 1).map((s) => s.stop())) },
  { title: 'All of them die: the sorry server goes in.', act: ({ reals }) => Promise.all(reals.map((s) => s.stop())) },
  { title: 'They come back: the sorry server goes out.', act: ({ reals }) => Promise.all(reals.map((s) => s.start())) },
]
const sceneMs = 3_000

/** `demo [--stay]`: the real director on etc/demo.cf, real web servers on loopback, and a table in memory. */
export async function demo(context: CliContext, options: { stay: boolean }): Promise<number> {
  const loaded = await loadForVerb(context, demoConfig)
  if (loaded === undefined) return exitCode.configError
  const stage = stageFor(loaded.config)
  const backend = await context.openTable('memory')
  const servers = [...stage.reals, stage.sorry]
  try {
    await Promise.all(servers.map((server) => server.start()))
    await play(context, { config: loaded.config, stage, backend, stay: options.stay })
    return exitCode.ok
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await backend.close()
  }
}

function stageFor(config: Config): Stage {
  const [virtual] = config.virtuals
  const sorry = virtual?.fallback?.destination
  if (virtual === undefined || sorry === undefined) throw new Error('etc/demo.cf needs a virtual with a fallback')
  const reals = virtual.reals.flatMap((real) => destinationOf(real) ?? [])
  return {
    reals: reals.map((d, index) => createDemoServer(`web${index + 1}`, d.address, d.port)),
    sorry: createDemoServer('the sorry server', sorry.address, sorry.port),
  }
}

interface Play {
  readonly config: Config
  readonly stage: Stage
  readonly backend: TableBackend
  readonly stay: boolean
}

async function play(context: CliContext, { config, stage, backend, stay }: Play): Promise<void> {
  const { clock, out, signal } = context
  const director = createDirector({
    backend,
    clock,
    concurrency: concurrencyLimit(),
    tell: (event) => {
      for (const line of wordEvent(event, { pid: process.pid, version }).lines) out(`  ${line}\n`)
    },
  })
  out(`ldirectord-ng demo: ${config.file}, table in memory, nothing of this machine is changed.\n`)
  try {
    await director.start(config)
    for (const scene of scenes) {
      if (signal.aborted) return
      out(`\n== ${scene.title}\n`)
      await scene.act(stage)
      await pause(clock, sceneMs, signal)
      out(await listing(clock, backend, config))
    }
    if (stay) {
      out('\nStaying: stop me with Ctrl-C.\n')
      await pause(clock, undefined, signal)
    }
  } finally {
    out('\n== The demo ends: the director cleans up.\n')
    await director.stop()
  }
}

/** The table as `ipvsadm -Ln` would show it. */
async function listing(clock: Clock, backend: TableBackend, config: Config): Promise<string> {
  const keys = new Set(config.virtuals.map((virtual) => virtual.key))
  const table = await withDeadline({ clock, ms: 1_000 }, (signal) => backend.read(keys, signal))
  return formatListing(table.services.values())
}

/** Waits, without end when `ms` is undefined, and no longer than the signal lets it. */
function pause(clock: Clock, ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = clock.setTimer('demo', ms ?? 2 ** 31 - 1, () => {
      signal.removeEventListener('abort', end)
      resolve()
    })
    const end = (): void => {
      timer.cancel()
      resolve()
    }
    signal.addEventListener('abort', end, { once: true })
  })
}
