import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { codeOf } from '../../lib/errors.ts'
import type { Family } from '../../model/service.ts'
import { Failure } from '../failure.ts'

export interface LookUpOptions {
  readonly family: Family
  readonly signal: AbortSignal
  /** `address:port` of name servers, and the hosts file, where they are not the system's. */
  readonly servers?: readonly string[]
  readonly hostsFile?: string
}

/**
 * The first address of a name, of the wanted family if it has one. An address is its own. After the hosts file the
 * name servers are asked directly: unlike the system's resolver that can be called off, and holds no thread.
 *
 * @throws the signal's reason, or Failure
 */
export async function lookUp(name: string, options: LookUpOptions): Promise<string> {
  const { signal, family, hostsFile = '/etc/hosts' } = options
  signal.throwIfAborted()
  if (isIP(name) !== 0) return name
  const known = inHosts(name, family, await readFile(hostsFile, 'utf8').catch(() => ''))
  signal.throwIfAborted()
  return known ?? askServers(name, options)
}

/** hosts(5): an address and its names a line. */
function inHosts(name: string, family: Family, text: string): string | undefined {
  const wanted = name.toLowerCase()
  const addresses = text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return isIP(address) !== 0 && names.some((known) => known.toLowerCase() === wanted) ? [address] : []
  })
  return addresses.find((address) => isIP(address) === family) ?? addresses[0]
}

async function askServers(name: string, { family, signal, servers }: LookUpOptions): Promise<string> {
  const resolver = new Resolver()
  if (servers !== undefined) resolver.setServers(servers)
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const [wanted, other] = await Promise.allSettled(
      family === 6
        ? [resolver.resolve6(name), resolver.resolve4(name)]
        : [resolver.resolve4(name), resolver.resolve6(name)],
    )
    signal.throwIfAborted()
    const address = firstOf(wanted) ?? firstOf(other)
    if (address !== undefined) return address
    const why = wanted?.status === 'rejected' ? codeOf(wanted.reason) : undefined
    throw new Failure('unreachable', `no address for ${name}${why === undefined ? '' : ` (${why})`}`)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function firstOf(answer: PromiseSettledResult<string[]> | undefined): string | undefined {
  return answer?.status === 'fulfilled' ? answer.value[0] : undefined
}
