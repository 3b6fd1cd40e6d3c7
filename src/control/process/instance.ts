import { basename, join } from 'node:path'

/** The instance of `ldirectord start`, without a configuration argument. */
export const defaultInstance = 'ldirectord'

/**
 * The instance a configuration argument names: its last path component, extension included (behaviour reference 1.1).
 * `ldirectord start` and `ldirectord ldirectord.cf start` are two instances, as they always were.
 */
export function instanceOf(configArgument: string | undefined): string {
  if (configArgument === undefined) return defaultInstance
  const name = basename(configArgument)
  return name === '' ? defaultInstance : name
}

/** Where pid files are: /var/run, or LDIRECTORD_NG_RUN_DIR for tests and for accounts without a right to it. */
export function runDirectoryOf(env: NodeJS.ProcessEnv = process.env): string {
  return env['LDIRECTORD_NG_RUN_DIR'] ?? '/var/run'
}

/** `/var/run/ldirectord.<instance>.pid` (behaviour reference 1.3). */
export function pidFileOf(instance: string, runDirectory: string = runDirectoryOf()): string {
  return join(runDirectory, `ldirectord.${instance}.pid`)
}

/** Where state is kept over restarts: /var/lib/ldirectord-ng, or LDIRECTORD_NG_STATE_DIR for tests and other accounts. */
export function stateDirectoryOf(env: NodeJS.ProcessEnv = process.env): string {
  return env['LDIRECTORD_NG_STATE_DIR'] ?? '/var/lib/ldirectord-ng'
}

/** `/var/lib/ldirectord-ng/<instance>.json`. */
export function stateFileOf(instance: string, stateDirectory: string = stateDirectoryOf()): string {
  return join(stateDirectory, `${instance}.json`)
}

/** `/var/lib/ldirectord-ng/<instance>.names`: no instance has a state file of that name. */
export function namesFileOf(instance: string, stateDirectory: string = stateDirectoryOf()): string {
  return join(stateDirectory, `${instance}.names`)
}
