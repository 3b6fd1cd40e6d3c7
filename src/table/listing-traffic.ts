import { hostPort } from '../model/service.ts'
import type { ServiceDetails, Traffic } from './details.ts'
import { listedName } from './listing.ts'
import { byDestination, byService } from './sort.ts'

/** The totals as `ipvsadm -L -n --stats --exact` shows them, without its version line. Each line with its newline. */
export function formatTotals(services: Iterable<ServiceDetails>): string {
  return formatTraffic(services, 'totals', ['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes'])
}

/** What passes per second as `ipvsadm -L -n --rate --exact` shows it, without its version line. */
export function formatRates(services: Iterable<ServiceDetails>): string {
  return formatTraffic(services, 'rates', ['CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS'])
}

function formatTraffic(services: Iterable<ServiceDetails>, of: 'totals' | 'rates', heads: readonly string[]): string {
  const lines = [row('Prot LocalAddress:Port', heads), '  -> RemoteAddress:Port']
  for (const service of [...services].sort((a, b) => byService(a.id, b.id))) {
    lines.push(row(listedName(service.id), numbersOf(service[of])))
    for (const destination of [...service.destinations.values()].sort(byDestination)) {
      lines.push(row(`  -> ${hostPort(destination.address, destination.port)}`, numbersOf(destination[of])))
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function numbersOf({ connections, inPackets, outPackets, inBytes, outBytes }: Traffic): string[] {
  return [connections, inPackets, outPackets, inBytes, outBytes].map(String)
}

/** A long name or number pushes what follows to the right. */
function row(name: string, cells: readonly string[]): string {
  return [name.padEnd(33), ...cells.map((cell) => cell.padStart(8))].join(' ')
}
