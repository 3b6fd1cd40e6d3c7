import type { Forwarding } from '../../model/table.ts'
import type { VirtualAddress } from '../parsed.ts'

/**
 * The port of a destination in the table. With gate and ipip the packet is not rewritten, so its port is the virtual
 * service's whatever the file says (behaviour reference 4.2, defect D4); masq and marks keep the port that was given.
 */
export function effectivePortOf(
  address: VirtualAddress,
  destination: { readonly port: number; readonly forwarding: Forwarding },
): number {
  return address.kind === 'address' && destination.forwarding !== 'masq' ? address.port : destination.port
}
