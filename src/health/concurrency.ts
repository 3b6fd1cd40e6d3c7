import { readFileSync } from 'node:fs'

/** For the table's socket, logs, mail, watches and whatever else this process keeps open. */
const keptFree = 64
/** An external command takes the most: two pipes, and two more while it is being started. */
const perProbe = 4
const fewest = 16
const most = 1000

/** How many probes may be in flight: as many as the limit on open files allows, at least 16, at most 1000. */
export function concurrencyLimit(): number {
  try {
    return limitFrom(readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    return fewest
  }
}

/** `limits` is the text of /proc/self/limits; the soft limit is its first number. */
export function limitFrom(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits)?.[1]
  if (soft === undefined) return fewest
  if (soft === 'unlimited') return most
  return Math.min(most, Math.max(fewest, Math.floor((Number(soft) - keptFree) / perProbe)))
}
