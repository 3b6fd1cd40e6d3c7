import type { Alert, Config } from '../config/model.ts'

/** What the section of a virtual service says of alerts; undefined when the config has no such service. */
export function alertOf(config: Config, identity: string): Alert | undefined {
  return config.virtuals.find((virtual) => virtual.key === identity)?.alert
}
