import { type Config, type Real, type RealKey, realKeyOf, type Virtual } from '../../config/model.ts'
import { normaliseIPv6 } from '../../lib/ip.ts'
import { printable } from '../../lib/printable.ts'
import { suggest } from '../../lib/suggest.ts'
import { formatService, hostPort } from '../../model/service.ts'
import { type OrderKey, orderKeyOf } from './order.ts'

/** Why a text names no real server. `choices` are whole texts, each of which names one; for unknown ones near names. */
export interface SelectionFault {
  readonly kind: 'unknown' | 'ambiguous'
  /** One printable sentence. */
  readonly message: string
  readonly choices: readonly string[]
}

/** One line of the configuration. */
export interface Line {
  readonly virtual: Virtual
  readonly real: Real
}

type Virtuals = Pick<Config, 'virtuals'>

const mostChoices = 100

/**
 * The real servers that an operator means: `192.0.2.20:80`, `192.0.2.20`, a host name as configured, `[2001:db8::20]:80`,
 * each alone or behind its virtual service and a slash (`192.0.2.10:80/192.0.2.20:80`, `tcp:192.0.2.10:80/web1`,
 * `5/192.0.2.20`). The port is the configured one, or that of the entry in the table where no line has it configured.
 * Lines of one virtual service with the same host and port are one real server. Several that fit are a fault, or all of
 * them with `all`.
 */
export function selectReals(
  config: Virtuals,
  text: string,
  { all }: { readonly all: boolean } = { all: false },
): readonly RealKey[] | SelectionFault {
  const slash = text.indexOf('/')
  const virtualText = slash < 0 ? undefined : text.slice(0, slash)
  const virtuals = virtualText === undefined ? config.virtuals : findVirtuals(config, virtualText)
  if (virtualText !== undefined && virtuals.length === 0) return unknownVirtual(config, virtualText)
  const realText = text.slice(slash + 1)
  const found = findReals(linesOf(virtuals), realText)
  if (found.length === 0) return unknownReal(config, text, virtualText === undefined ? undefined : virtuals)
  const groups = new Set(found.map((line) => orderKeyOf(line)))
  if (groups.size > 1 && !all) return ambiguous(config, text, found)
  return found.map(({ virtual, real }) => realKeyOf(virtual, real))
}

export function isFault(selected: readonly RealKey[] | SelectionFault): selected is SelectionFault {
  return 'kind' in selected
}

export function linesOf(virtuals: readonly Virtual[]): readonly Line[] {
  return virtuals.flatMap((virtual) => virtual.reals.map((real) => ({ virtual, real })))
}

/** The text that names this real server and no other: `192.0.2.10:80/192.0.2.20:80`, with `tcp:` where that is needed. */
export function formOf(config: Virtuals, { virtual, real }: Line): string {
  const short = formatService(virtual.id)
  const alike = config.virtuals.filter((each) => formatService(each.id) === short)
  return `${alike.length > 1 ? virtual.key : short}/${hostPort(real.host, real.port)}`
}

function findVirtuals(config: Virtuals, text: string): readonly Virtual[] {
  const wanted = text.toLowerCase()
  const exact = config.virtuals.filter((virtual) => virtual.key === wanted)
  if (exact.length > 0) return exact
  return config.virtuals.filter((virtual) => {
    const { id } = virtual
    return formatService(id) === wanted || (id.kind === 'address' && sameHostPort(wanted, id.address, [id.port]))
  })
}

function findReals(lines: readonly Line[], text: string): readonly Line[] {
  const byHost = lines.filter(({ real }) => hostsOf(real).some((host) => sameHost(text, host)))
  if (byHost.length > 0) return byHost
  const configured = lines.filter(({ real }) => hostsOf(real).some((host) => sameHostPort(text, host, [real.port])))
  if (configured.length > 0) return configured
  return lines.filter(({ real }) => hostsOf(real).some((host) => sameHostPort(text, host, [real.effectivePort])))
}

const hostsOf = ({ host, address }: Real): readonly string[] => (address === undefined ? [host] : [host, address])

function sameHost(text: string, host: string): boolean {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  return bare.toLowerCase() === host.toLowerCase() || (host.includes(':') && normaliseIPv6(bare) === host)
}

function sameHostPort(text: string, host: string, ports: readonly number[]): boolean {
  const match = /^(.+):([0-9]{1,5})$/.exec(text)
  if (match === null) return false
  const [, name = '', port = ''] = match
  // 2001:db8::20:80 is an address; with a port it needs its brackets.
  if (name.includes(':') && !name.startsWith('[')) return false
  return ports.includes(Number(port)) && sameHost(name, host)
}

function ambiguous(config: Virtuals, text: string, found: readonly Line[]): SelectionFault {
  const byKey = new Map<OrderKey, string>(found.map((line) => [orderKeyOf(line), formOf(config, line)]))
  const choices = [...byKey.values()].slice(0, mostChoices)
  return {
    kind: 'ambiguous',
    message: `"${printable(text, 100)}" is ${byKey.size} real servers: say which one, or all of them with --all`,
    choices,
  }
}

function unknownVirtual(config: Virtuals, text: string): SelectionFault {
  const names = config.virtuals.flatMap((virtual) => [formatService(virtual.id), virtual.key])
  const near = text === '' ? undefined : suggest(text, names)
  return {
    kind: 'unknown',
    message: `no virtual service of the configuration is "${printable(text, 100)}"`,
    choices: near === undefined ? [] : [near],
  }
}

function unknownReal(config: Virtuals, text: string, within: readonly Virtual[] | undefined): SelectionFault {
  const lines = linesOf(within ?? config.virtuals)
  const forms = (line: Line): string[] =>
    within === undefined
      ? hostsOf(line.real).flatMap((host) => [host, hostPort(host, line.real.port)])
      : [formOf(config, line), `${line.virtual.key}/${hostPort(line.real.host, line.real.port)}`]
  const near = suggest(text, new Set(lines.flatMap(forms)))
  const where = within === undefined ? 'the configuration' : `virtual service ${formatService(firstOf(within).id)}`
  return {
    kind: 'unknown',
    message: `no real server of ${where} is "${printable(text, 100)}"`,
    choices: near === undefined ? [] : [near],
  }
}

function firstOf(virtuals: readonly Virtual[]): Virtual {
  const [first] = virtuals
  if (first === undefined) throw new Error('asked for a virtual service of an empty list')
  return first
}
