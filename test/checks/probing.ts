import type { AnyCheck, Target } from '../../src/check/contract.ts'
import { makeProbe } from '../../src/check/probe.ts'
import { runProbe } from '../../src/check/run.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { collectDiagnostics } from '../../src/lib/diagnostics.ts'
import type { CheckResult } from '../../src/model/verdict.ts'

export interface Ask {
  readonly check: AnyCheck
  readonly address?: string
  readonly port?: number
  readonly virtual?: Target['virtual']
  /** tcp where absent. */
  readonly transport?: Target['transport']
  /** Beside the defaults of the check's fields. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  trace?(note: string): void
}

/** One run of a check as the daemon runs it, with the defaults of its directives. */
export async function ask(question: Ask): Promise<CheckResult & { durationMs: number }> {
  const { check, address = '127.0.0.1', port = 0, virtual, timeoutMs = 5000 } = question
  const target: Target = {
    address,
    family: address.includes(':') ? 6 : 4,
    port,
    transport: question.transport ?? 'tcp',
    ...(virtual === undefined ? {} : { virtual }),
  }
  const options = { ...defaultsOf(check), ...question.options }
  const { result, durationMs } = await runProbe(makeProbe({ check, target, options, timeoutMs }), {
    clock: systemClock,
    signal: question.signal,
    isVirtualAddress: () => false,
    warn: () => undefined,
    ...(question.trace === undefined ? {} : { trace: question.trace }),
  })
  return { ...result, durationMs }
}

function defaultsOf(check: AnyCheck): Record<string, unknown> {
  const report = collectDiagnostics()
  const fields: [string, { decode(directive: undefined, report: unknown): unknown }][] = Object.entries(check.fields)
  return Object.fromEntries(fields.map(([name, field]) => [name, field.decode(undefined, report)]))
}

/** The verdict with its reason, as a table of cases names it: `up`, `down timeout`, `unknown missing-tool`. */
export function verdictOf(result: CheckResult): string {
  return result.verdict === 'up' ? 'up' : `${result.verdict} ${result.reason}`
}

/** What a check has decided before it began to say good-bye, and what it said in the end. */
export async function decisionsOf(question: Ask): Promise<{ decided: CheckResult[]; result: CheckResult }> {
  const { check, address = '127.0.0.1', port = 0 } = question
  const decided: CheckResult[] = []
  const target: Target = { address, family: 4, port, transport: 'tcp' }
  const result = await check.run(
    target,
    { ...defaultsOf(check), ...question.options },
    {
      signal: question.signal ?? AbortSignal.timeout(10_000),
      timeoutMs: 10_000,
      step: (note: string) => question.trace?.(note),
      decided: (each: CheckResult) => void decided.push(each),
      warn: () => undefined,
      isVirtualAddress: () => false,
    },
  )
  return { decided, result }
}
