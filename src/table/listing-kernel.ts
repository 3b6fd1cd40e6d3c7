import { printable } from '../lib/printable.ts'
import { hostPort } from '../model/service.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type { Connection, Endpoint, TableInfo } from './details.ts'

/** The first line of `ipvsadm -L`. */
export function formatInfo({ version, connectionTableSize }: TableInfo): string {
  return `IP Virtual Server version ${version} (size=${connectionTableSize})\n`
}

/** The line of `ipvsadm -L --timeout`, in seconds. */
export function formatTimeouts({ tcp, tcpFin, udp }: ConnectionTimeouts): string {
  return `Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}\n`
}

/** The connections as `ipvsadm -L -n -c` shows them, in the order given. Each line with its newline. */
export function formatConnections(connections: Iterable<Connection>): string {
  const lines = ['IPVS connection entries', 'pro expire state       source             virtual            destination']
  for (const connection of connections) lines.push(connectionLine(connection))
  return lines.map((line) => `${line}\n`).join('')
}

function connectionLine({ protocol, expiresMs, state, client, virtual, destination }: Connection): string {
  const words = [
    protocol.toUpperCase().padEnd(3),
    minutes(expiresMs).padEnd(6),
    printable(state).padEnd(11),
    endpoint(client).padEnd(18),
    endpoint(virtual).padEnd(18),
    endpoint(destination),
  ]
  return words.join(' ')
}

const endpoint = ({ address, port }: Endpoint): string => hostPort(address, port)

/** `mm:ss`, with as many minutes as there are. */
function minutes(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, '0')).join(':')
}
