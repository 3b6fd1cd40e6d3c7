export type Family = 4 | 6
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** What makes a virtual service one in IPVS. Addresses are in normal form (lower case, compressed, no brackets). */
export type ServiceId =
  | {
      readonly kind: 'address'
      readonly protocol: Protocol
      readonly family: Family
      readonly address: string
      readonly port: number
    }
  | { readonly kind: 'fwmark'; readonly family: Family; readonly mark: number }

declare const serviceKey: unique symbol
/** A ServiceId as a map key: `tcp:192.0.2.10:80`, `fwm:5`, `fwm6:5`. It is also Perl ldirectord's identity text. */
export type ServiceKey = string & { readonly [serviceKey]: true }

export function serviceKeyOf(id: ServiceId): ServiceKey {
  const text =
    id.kind === 'fwmark'
      ? `${id.family === 6 ? 'fwm6' : 'fwm'}:${id.mark}`
      : `${id.protocol}:${hostPort(id.address, id.port)}`
  return text as ServiceKey
}

/** As ipvsadm writes it: `192.0.2.10:80`, `[2001:db8::1]:80`, `5` for a mark. */
export function formatService(id: ServiceId): string {
  return id.kind === 'fwmark' ? String(id.mark) : hostPort(id.address, id.port)
}

/** `tcp`, `udp`, `sctp`, or Perl ldirectord's `fwm` for a mark. */
export function protocolOf(id: ServiceId): Protocol | 'fwm' {
  return id.kind === 'fwmark' ? 'fwm' : id.protocol
}

export function hostPort(address: string, port: number): string {
  return `${bracketed(address)}:${port}`
}

/** IPv6 in brackets, anything else as it is. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
