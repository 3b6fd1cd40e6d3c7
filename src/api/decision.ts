import type { RealKey } from '../config/model.ts'
import type { Desired, Role } from '../table/desired.ts'

/** How a real server stands in the table that is wanted now, and why, in one sentence. */
export function decisionOn(key: RealKey, { table, roles, absent }: Desired): string {
  for (const [service, entries] of roles) {
    for (const [destination, role] of entries) {
      if (!isOf(role, key)) continue
      const weight = table.get(service)?.destinations.get(destination)?.weight ?? 0
      return role.state === 'up'
        ? `in the table with weight ${weight}`
        : `in the table with weight ${weight}, without new connections: ${role.reason}`
    }
  }
  for (const entries of absent.values()) {
    for (const role of entries.values()) if (isOf(role, key)) return `not in the table: ${role.reason}`
  }
  return 'its entry in the table stands for another line of the file'
}

function isOf(role: Role, key: RealKey): role is Extract<Role, { kind: 'real' }> {
  return role.kind === 'real' && role.key === key
}
