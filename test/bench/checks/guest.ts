// Runs in a network namespace, where Dovecot can have the ports at which Perl ldirectord asks; main.ts starts it there and
// takes what it sends.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { versionOf } from '../../servers/proved.ts'
import { measureService } from './measure.ts'
import { serverOf, startSite } from './services.ts'
import type { ServiceCost } from './table.ts'

/** An empty table, that takes everything. */
const ipvsadm = `#!/bin/sh
[ "$1" = -L ] || exit 0
echo 'IP Virtual Server version 1.2.1 (size=4096)'
echo 'Prot LocalAddress:Port Scheduler Flags'
echo '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn'
`

/** In this mount namespace only, and only where Perl ldirectord can run. */
function prepareForPerl(directory: string): boolean {
  if (!existsSync('/usr/sbin/ldirectord') || !existsSync('/usr/sbin/ipvsadm') || process.getuid?.() !== 0) return false
  const file = join(directory, 'ipvsadm')
  writeFileSync(file, ipvsadm, { mode: 0o755 })
  // On most systems one of them is a link to the other.
  const paths = ['/usr/sbin/ipvsadm', '/sbin/ipvsadm']
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
  for (const path of new Set(paths)) execFileSync('mount', ['--bind', file, path])
  return true
}

async function measure(services: readonly string[], rounds: number): Promise<ServiceCost[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const marker = createServer((socket) => socket.on('error', () => socket.destroy()).end())
  await new Promise<void>((resolve) => marker.listen(0, '127.0.0.1', resolve))
  const options = { rounds, directory, markerPort: (marker.address() as AddressInfo).port }
  const withPerl = prepareForPerl(directory)
  if (!withPerl) console.log('Perl ldirectord is left out: it wants root, and the packages ldirectord and ipvsadm')
  const site = await startSite(services, directory)
  const costs: ServiceCost[] = []
  try {
    for (const asked of site.asked) {
      const [name = '', debianPackage = ''] = serverOf[asked.service] ?? []
      const server = debianPackage === '' ? name : `${name} ${versionOf(debianPackage)}`
      const cost = { service: asked.service, server, ...(await measureService(asked, { ...options, withPerl })) }
      console.log(
        JSON.stringify(cost, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)),
      )
      costs.push(cost)
    }
    return costs
  } finally {
    await site.stop()
    marker.close()
  }
}

// Servers and programs end with it.
process.once('disconnect', () => process.exit(1))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
const [rounds = '1', ...services] = process.argv.slice(2)
const costs = await measure(services, Number(rounds))
process.send?.(costs, () => process.exit(0))
