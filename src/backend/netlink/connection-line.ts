import { addressOfBytes } from '../../lib/ip-bytes.ts'
import type { Family } from '../../model/service.ts'
import type { Connection, Endpoint } from '../../table/details.ts'

const protocols = ['tcp', 'udp', 'sctp', 'ip'] as const
/** Nine words, blanks between them, that every line has; an engine's name; its data, which may have blanks. */
const form = /^((?:\S+ +){8}\S+) *(\S+)? ?(.*)$/

/**
 * One line of /proc/net/ip_vs_conn: protocol, three pairs of address and port in hexadecimal, state, seconds left, and
 * of some templates an engine with its data. Undefined for the head and for what we have no word for.
 */
export function parseConnection(line: string): Connection | undefined {
  const [, head = '', name, data = ''] = form.exec(line) ?? []
  const [protocolName = '', ...words] = head.split(/ +/)
  const protocol = protocols.find((known) => known === protocolName.toLowerCase())
  const [client, virtual, destination] = [0, 2, 4].map((at) => endpointOf(words[at], words[at + 1]))
  const [state, seconds = ''] = words.slice(6)
  if (protocol === undefined || state === undefined || !/^\d+$/.test(seconds)) return undefined
  if (client === undefined || virtual === undefined || destination === undefined) return undefined
  return {
    protocol,
    family: familyOf(words[0] ?? ''),
    client,
    virtual,
    destination,
    state,
    expiresMs: Number(seconds) * 1000,
    engine: name === undefined ? undefined : { name, data },
  }
}

const familyOf = (text: string): Family => (text.includes(':') ? 6 : 4)

function endpointOf(address = '', port = ''): Endpoint | undefined {
  const digits = address.replaceAll(':', '')
  const family = familyOf(address)
  if (!/^[0-9A-Fa-f]+$/.test(digits) || digits.length !== (family === 6 ? 32 : 8)) return undefined
  if (!/^[0-9A-F]{4}$/.test(port)) return undefined
  return { address: addressOfBytes(Buffer.from(digits, 'hex'), family), port: Number.parseInt(port, 16) }
}
