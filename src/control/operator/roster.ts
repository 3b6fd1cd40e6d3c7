import { type Config, type RealKey, realKeyOf } from '../../config/model.ts'
import { type OrderKey, orderKeyOf } from './order.ts'
import { type Line, linesOf } from './select-reals.ts'

/** The real servers of the config in force, found by either of their names. */
export interface Roster {
  readonly config: Config | undefined
  readonly lines: ReadonlyMap<RealKey, Line>
  /** Lines of one virtual service with the same host and port are one real server to an operator. */
  readonly groups: ReadonlyMap<OrderKey, readonly Line[]>
}

export const emptyRoster: Roster = { config: undefined, lines: new Map(), groups: new Map() }

export function rosterOf(config: Config): Roster {
  const lines = new Map<RealKey, Line>()
  const groups = new Map<OrderKey, Line[]>()
  for (const line of linesOf(config.virtuals)) {
    lines.set(realKeyOf(line.virtual, line.real), line)
    const key = orderKeyOf(line)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [line])
    else group.push(line)
  }
  return { config, lines, groups }
}
