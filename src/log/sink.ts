import { closeSync, writeSync } from 'node:fs'
import type { Event } from '../model/events.ts'
import { openNonBlocking } from './descriptor.ts'
import type { Severity } from './wording.ts'

/** One line on its way out. */
export interface Line {
  readonly severity: Severity
  /** Printable. In text without a line break. */
  readonly text: string
  /** Wall clock, milliseconds since 1970. */
  readonly at: number
  /** What it tells of; undefined for the log's own remarks. In text each line of an event stands alone, without it. */
  readonly event?: Event | undefined
}

/** Somewhere lines go. Nothing in it throws or waits: what can not be written is dropped and counted. */
export interface Sink {
  write(line: Line): void
  /** Opens anew what stands at the path; for logrotate's signal. */
  reopen(): void
  /** Resolves when what was written is out of this process, or can not be. */
  flush(): Promise<void>
  /** Flushes and lets go; after it lines are dropped. */
  close(): Promise<void>
}

/** The logging itself has a fault: the last resort is standard error. */
export type Complain = (text: string) => void

/** Never waits: a terminal or pipe nobody reads must not stop the daemon. */
export const complainOnStderr: Complain = (text) => {
  const own = openNonBlocking(2)
  try {
    writeSync(own ?? 2, `${text}\n`)
  } catch {
    // There is nobody left to tell.
  } finally {
    if (own !== undefined) closeSync(own)
  }
}

/** syslog.h: what stands in front of a line as `<N>`. */
export const severityNumbers: Readonly<Record<Severity, number>> = { error: 3, warning: 4, notice: 5, info: 6 }

export const nowhere: Sink = {
  write: () => undefined,
  reopen: () => undefined,
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** Lost lines, told once per episode. */
export interface Episode {
  /** The first since things were well is told, with the reason. */
  lost(reason: string, lines?: number): void
  /** How many were lost; told when there were some. */
  over(): number
  /** The end: lines that could not be got rid of are told with those that were lost before. */
  end(lines: number): void
}

export function watchLoss(name: string, complain: Complain): Episode {
  let lost = 0
  return {
    lost: (reason, lines = 1) => {
      if (lost === 0) complain(`ldirectord-ng: ${name}: ${reason}; log lines are dropped until it works again`)
      lost += lines
    },
    end: (lines) => {
      if (lost + lines > 0) complain(`ldirectord-ng: ${name}: ${lost + lines} log lines were lost at the end`)
      lost = 0
    },
    over: () => {
      const count = lost
      lost = 0
      if (count > 0) complain(`ldirectord-ng: ${name}: works again, ${count} log lines were lost`)
      return count
    },
  }
}
