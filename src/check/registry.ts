import type { AnyCheck } from './contract.ts'

/** The checks this program has, found by what the config names. Made once from `checks/index.ts`. */
export interface Registry {
  readonly all: readonly AnyCheck[]
  /** connect, ping, external, external-perl. */
  ofType(name: string): AnyCheck | undefined
  /** A negotiate check by its service name. */
  ofService(name: string): AnyCheck | undefined
}

export function makeRegistry(checks: readonly AnyCheck[]): Registry {
  const types = new Map<string, AnyCheck>()
  const services = new Map<string, AnyCheck>()
  for (const check of checks) {
    const map = check.kind === 'negotiate' ? services : types
    if (map.has(check.name)) throw new Error(`two checks are named ${check.name}`)
    map.set(check.name, check)
  }
  return { all: checks, ofType: (name) => types.get(name), ofService: (name) => services.get(name) }
}
