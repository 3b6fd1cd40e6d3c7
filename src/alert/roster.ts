import { type Alert, type Config, type Real, type RealKey, realKeyOf } from '../config/model.ts'
import { hostPort } from '../model/service.ts'

/** A config, looked up by the names that events have. */
export interface Roster {
  /** What the section of a virtual service says of alerts; undefined when there is no such service. */
  alertOf(identity: string): Alert | undefined
  /** The lines of a virtual service that name this real server. */
  keysOf(identity: string, real: string): readonly RealKey[]
  /** In file order. */
  readonly alerts: readonly Alert[]
}

export function rosterOf(config: Config): Roster {
  const virtuals = new Map(config.virtuals.map((virtual) => [virtual.key as string, virtual]))
  return {
    alertOf: (identity) => virtuals.get(identity)?.alert,
    keysOf: (identity, real) => {
      const virtual = virtuals.get(identity)
      if (virtual === undefined) return []
      return virtual.reals.filter((each) => nameOf(each) === real).map((each) => realKeyOf(virtual, each))
    },
    alerts: config.virtuals.map(({ alert }) => alert),
  }
}

/** As the log calls it: the configured address and port. */
function nameOf(real: Real): string {
  return hostPort(real.address ?? real.host, real.port)
}
