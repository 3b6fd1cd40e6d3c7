import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { forkInNamespace, whyNoNamespace } from '../../servers/namespace.ts'
import { unpackNnrpd } from '../../servers/nnrpd.ts'
import type { ChecksWish } from '../arguments.ts'
import { isThere, versionOf } from '../programs.ts'
import { isQuiet } from '../report.ts'
import { withChecksSection } from '../sections.ts'
import { allServices } from './services.ts'
import { type ServiceCost, wordChecks, wordTable } from './table.ts'

/**
 * `npm run bench -- checks`: prints the table, and writes its part of the page when every service is in it.
 *
 * @throws Error when something is missing or a check failed
 */
export async function benchChecks({ rounds, only }: ChecksWish, page: string): Promise<void> {
  const reason = whyNoNamespace()
  if (reason !== undefined) throw new Error(reason)
  const services = await chooseServices(only)
  const [before = 0] = loadavg()
  const costs = await measureInNamespace(services, rounds)
  const [after = 0] = loadavg()
  if (only !== undefined) return console.log(`\n${wordTable(costs)}\n\nonly a part of it: ${page} is left as it is`)
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const text = wordChecks({
    ...{ costs, rounds, version, node: process.version, cores: availableParallelism(), load: [before, after] },
    date: new Date().toISOString().slice(0, 10),
    perlVersion: isThere('perl') ? versionOf('perl') : 'absent',
    isQuiet: isQuiet([before, after]),
  })
  writeFileSync(page, withChecksSection(readFileSync(page, 'utf8'), text))
  console.log(`\n${text}`)
}

async function chooseServices(only: readonly string[] | undefined): Promise<readonly string[]> {
  const unknown = (only ?? []).filter((service) => !allServices.includes(service))
  if (unknown.length > 0) throw new Error(`not measured: ${unknown.join(', ')}; known: ${allServices.join(', ')}`)
  const services = allServices.filter((service) => only?.includes(service) ?? true)
  const reason = services.includes('nntp') ? await unpackNnrpd() : undefined
  if (reason !== undefined) console.log(`nntp is left out: ${reason}`)
  return reason === undefined ? services : services.filter((service) => service !== 'nntp')
}

async function measureInNamespace(services: readonly string[], rounds: number): Promise<ServiceCost[]> {
  const guest = forkInNamespace(fileURLToPath(new URL('guest.js', import.meta.url)), [String(rounds), ...services])
  let costs: ServiceCost[] | undefined
  guest.once('message', (found: ServiceCost[]) => {
    costs = found
  })
  await once(guest, 'exit')
  if (costs === undefined) throw new Error('the measurement did not end well')
  return costs
}
