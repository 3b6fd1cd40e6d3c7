import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { DeadlineError } from '../lib/deadline-error.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { type CheckResult, down, unknown } from '../model/verdict.ts'
import type { CheckContext } from './contract.ts'
import type { Probe } from './probe.ts'

export interface RunOptions {
  readonly clock: Clock
  /** Calls the run off: the result is then unknown, `cancelled`. */
  readonly signal?: AbortSignal | undefined
  isVirtualAddress(address: string): boolean
  /** What the check says beside its verdict, made printable. */
  warn(text: string): void
  /** Each step as it happens; `steps` of the run has them all. */
  trace?(note: string): void
}

/** What a check said of its way, and when. */
export interface TimedStep {
  /** Milliseconds since the probe began. */
  readonly atMs: number
  /** One printable line. */
  readonly note: string
}

/** One run of one probe. */
export interface ProbeRun {
  readonly result: CheckResult
  /** Wall clock when it ended, milliseconds since 1970. */
  readonly at: number
  readonly durationMs: number
  /** How far it got, oldest first. */
  readonly steps: readonly TimedStep[]
  /** Set when the check did not stop when told and was left behind: resolves when it does end. Never rejects. */
  readonly unfinished?: Promise<void>
}

/** What a check may take to put away its socket or child after the signal; an external command has TERM and KILL in it. */
export const abandonAfterMs = 2000

const longestStep = 200
const mostSteps = 100
const longestDetail = 500
const longestStack = 2000

/** Runs a probe once under its one hard deadline. Whatever the check does, this resolves, soon after the deadline at the latest. */
export async function runProbe(probe: Probe, options: RunOptions): Promise<ProbeRun> {
  const { clock, signal: parent } = options
  const steps: TimedStep[] = []
  const started = clock.monotonic()
  const elapsed = (): number => Math.round((clock.monotonic() - started) * 10) / 10
  const end = (result: CheckResult, unfinished?: Promise<void>): ProbeRun => ({
    result,
    at: clock.now(),
    durationMs: elapsed(),
    steps,
    ...(unfinished === undefined ? {} : { unfinished }),
  })
  if (parent?.aborted === true) return end(unknown('cancelled', 'called off before it began'))
  return withDeadline({ clock, ms: probe.timeoutMs, parent }, async (signal) => {
    let running = true
    let decided: CheckResult | undefined
    const decide = (result: CheckResult): void => {
      decided = result
    }
    const note = (text: string): void => {
      if (steps.length < mostSteps) steps.push({ atMs: elapsed(), note: text })
    }
    const context = contextFor({ probe, options, signal, note, decide })
    const verdict = judged(probe, context, { steps, decided: () => decided })
    const over = verdict.then(() => {
      running = false
    })
    const abandoned = abandonment(clock, signal)
    await Promise.race([over, abandoned.due])
    abandoned.forget()
    if (!running) return end(await verdict)
    return end(abortResult(signal.reason, 'the check did not stop when told', steps), over)
  })
}

interface ContextParts {
  readonly probe: Probe
  readonly options: RunOptions
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  readonly decide: (result: CheckResult) => void
}

function contextFor({ probe, options, signal, note, decide }: ContextParts): CheckContext {
  return {
    signal,
    decided: decide,
    timeoutMs: probe.timeoutMs,
    step: (said) => {
      const text = printable(said, longestStep)
      note(text)
      options.trace?.(text)
    },
    warn: (text) => options.warn(printable(text)),
    isVirtualAddress: (address) => options.isVirtualAddress(address),
  }
}

/** What there is to go by beside the check's last word. */
interface Known {
  readonly steps: readonly TimedStep[]
  /** What the check said before it began to say good-bye. */
  decided(): CheckResult | undefined
}

function shown(result: CheckResult): CheckResult {
  return { ...result, detail: printable(result.detail, longestDetail) }
}

/** The check's own word, corrected where the signal explains it better. Never rejects. */
async function judged(probe: Probe, context: CheckContext, known: Known): Promise<CheckResult> {
  const { signal } = context
  const { steps } = known
  try {
    const result = await probe.check.run(probe.target, probe.options, context)
    return signal.aborted ? afterAbort(shown(result), signal.reason, known.decided()) : shown(result)
  } catch (error) {
    const decided = known.decided()
    if (decided !== undefined && signal.reason instanceof DeadlineError) return shown(decided)
    if (signal.aborted) return abortResult(signal.reason, printable(messageOf(error), longestDetail), steps)
    const stack = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
    return unknown('bug', `the check ${probe.check.name} threw: ${printable(stack, longestStack)}`)
  }
}

/**
 * A socket that the signal took away looks like a server that closed. So after the deadline any word on the server,
 * good or bad, is `timeout` unless it had been decided before, and after a cancellation none is evidence. Faults of this machine stay what they are.
 */
function afterAbort(result: CheckResult, reason: unknown, decided: CheckResult | undefined): CheckResult {
  if (!(reason instanceof DeadlineError)) return unknown('cancelled', result.detail)
  if (decided !== undefined) return shown(decided)
  if (result.verdict === 'unknown' && result.reason !== 'cancelled') return result
  if (result.verdict === 'up') return down('timeout', `${reason.message}: it came later (${result.detail})`)
  return down('timeout', result.detail)
}

function abortResult(reason: unknown, what: string, steps: readonly TimedStep[]): CheckResult {
  const isTimeout = reason instanceof DeadlineError
  const said = isTimeout ? reason.message : 'called off'
  const last = steps.at(-1)?.note
  // A check that passes the reason of the signal on tells nothing new.
  const more = [...(what.includes(said) ? [] : [what]), ...(last === undefined ? [] : [`last: ${last}`])]
  const detail = more.length === 0 ? said : `${said} (${more.join(', ')})`
  return isTimeout ? down('timeout', detail) : unknown('cancelled', detail)
}

/** Due a short grace after the signal; a check that stops in time gets its own word heard. */
function abandonment(clock: Clock, signal: AbortSignal): { due: Promise<void>; forget: () => void } {
  let forget = (): void => undefined
  const due = new Promise<void>((resolve) => {
    const wait = (): void => {
      const timer = clock.setTimer('abandon', abandonAfterMs, resolve)
      forget = () => timer.cancel()
    }
    signal.addEventListener('abort', wait, { once: true })
  })
  return { due, forget: () => forget() }
}
