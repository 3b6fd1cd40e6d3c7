import type { Config } from '../config/model.ts'
import { subscriptionsOf } from '../control/director.ts'
import { checkOnce } from '../health/check-once.ts'
import { concurrencyLimit } from '../health/concurrency.ts'
import { printable } from '../lib/printable.ts'
import { exitCodeOf, formatReport, reportOf } from './check-report.ts'
import { type CliContext, exitCode } from './context.ts'
import { loadForVerb } from './load.ts'

/** `check [config] [--json]`: every check once, in parallel; touches no table and needs no root. */
export async function check(
  context: CliContext,
  options: { config: string | undefined; json: boolean },
): Promise<number> {
  const loaded = await loadForVerb(context, options.config)
  if (loaded === undefined) return exitCode.configError
  const observations = await observeOnce(context, loaded.config, !options.json)
  const report = reportOf(loaded.config, observations)
  context.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report))
  return exitCodeOf(report)
}

/** All checks of a config once, with a progress line when a person is watching. */
export async function observeOnce(
  context: CliContext,
  config: Config,
  progress: boolean,
): ReturnType<typeof checkOnce> {
  const show = progress && context.isTerminal
  const observations = await checkOnce({
    subscriptions: subscriptionsOf(config),
    clock: context.clock,
    concurrency: concurrencyLimit(),
    signal: context.signal,
    isVirtualAddress: (address) => config.virtuals.some((v) => v.id.kind === 'address' && v.id.address === address),
    onProgress: (done, total) => {
      if (show) context.err(`\r${done} of ${total} checks done`)
    },
    onWarning: (key, text) => context.err(`${show ? '\r\u001b[K' : ''}warning: ${printable(`${key}: ${text}`)}\n`),
  })
  if (show) context.err('\r\u001b[K')
  return observations
}
