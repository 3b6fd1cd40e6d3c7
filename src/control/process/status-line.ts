import { realKeyOf } from '../../config/model.ts'
import type { Director } from '../director.ts'

/** What `systemctl status` shows: `3 virtuals, 11 of 12 reals up, 1 in maintenance; …` and what is wrong. */
export function statusLine(
  { config, health, holds }: Pick<Director, 'config' | 'health' | 'holds'>,
  wrong: { readonly isUnreadable: boolean; readonly isRefused: boolean },
): string {
  const keys = config.virtuals.flatMap((virtual) => virtual.reals.map((real) => realKeyOf(virtual, real)))
  const held = keys.filter((key) => holds.has(key)).length
  const up = keys.filter((key) => health.get(key)?.state === 'up' && !holds.has(key)).length
  const count = config.virtuals.length
  const counts = `${count} ${count === 1 ? 'virtual' : 'virtuals'}, ${up} of ${keys.length} reals up`
  return [
    held === 0 ? counts : `${counts}, ${held} in maintenance`,
    ...(wrong.isUnreadable ? ['the IPVS table can not be read'] : []),
    ...(wrong.isRefused ? ['the new configuration was refused, the old one is in force'] : []),
  ].join('; ')
}
