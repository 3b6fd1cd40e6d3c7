import type { WhyReport } from '../api/why-report.ts'
import { type CliContext, exitCode } from './context.ts'
import { steer } from './instance-socket.ts'
import type { SteerCommand } from './steer-arguments.ts'
import { formatWhy } from './why-format.ts'

/** `why REAL`: how it came to stand as it does. */
export async function why(context: CliContext, command: Extract<SteerCommand, { verb: 'why' }>): Promise<number> {
  const query = new URLSearchParams({ real: command.real, ...(command.all ? { all: 'yes' } : {}) })
  const path = `/v1/why?${query}`
  const answer = await steer<{ readonly reals: readonly WhyReport[] }>(context, command.config, { method: 'GET', path })
  const now = context.clock.now()
  const texts = answer.reals.map((report) => formatWhy(report, now))
  context.out(command.json ? `${JSON.stringify(answer, null, 2)}\n` : texts.join('\n'))
  return exitCode.ok
}
