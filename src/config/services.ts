import { readFileSync } from 'node:fs'

/** The services database (services(5)): what a port name means. */
export interface ServiceNames {
  /** Undefined for a name that the protocol does not have. */
  portOf(name: string, protocol: 'tcp' | 'udp'): number | undefined
}

/** Larger than any services file that is one. */
const LARGEST_BYTES = 4 * 1024 * 1024

/** The text of a services file; lines that are not of its form are skipped, the first entry of a name counts. */
export function parseServices(text: string): ServiceNames {
  const ports = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name, portAndProtocol, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    const match = /^([0-9]+)\/(tcp|udp)$/.exec(portAndProtocol ?? '')
    if (name === undefined || match === null) continue
    for (const each of [name, ...aliases]) {
      const key = `${match[2]}:${each}`
      if (!ports.has(key)) ports.set(key, Number(match[1]))
    }
  }
  return { portOf: (name, protocol) => ports.get(`${protocol}:${name}`) }
}

/** /etc/services as it is now. A machine without one has no names: ports are then numbers only. */
export function readServices(file = '/etc/services'): ServiceNames {
  try {
    return parseServices(readFileSync(file, 'utf8').slice(0, LARGEST_BYTES))
  } catch {
    return parseServices('')
  }
}
