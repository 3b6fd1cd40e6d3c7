import type { Registry } from '../check/registry.ts'
import type { Load } from '../config/load.ts'
import type { Clock } from '../lib/clock.ts'
import type { IpvsTable } from '../table/details.ts'

/** What a verb gets from the composition root: everything it does to the world goes through here. */
export interface CliContext {
  readonly clock: Clock
  readonly registry: Registry
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard output is a terminal, so progress and colours are welcome. */
  readonly isTerminal: boolean
  readonly openTable: (kind: 'kernel' | 'memory') => Promise<IpvsTable>
  /** Reads a config found by `findConfig`; `last` keeps addresses of names that do not answer now. */
  readonly load: (file: string, last?: Load) => Promise<Load>
  /** Ends with the process: a first TERM or INT. */
  readonly signal: AbortSignal
}

/** Exit codes of the verbs that Perl ldirectord does not have (sysexits.h for 64 and 70). */
export const exitCode = {
  ok: 0,
  someDown: 1,
  changes: 1,
  doctorErrors: 1,
  configError: 2,
  undetermined: 3,
  noTable: 4,
  usage: 64,
  bug: 70,
  /** As a shell tells of INT. */
  interrupted: 130,
} as const
