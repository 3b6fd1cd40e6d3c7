import { createHash } from 'node:crypto'
import { makeProbe, type Probe } from '../check/probe.ts'
import { collectDiagnostics, type Diagnostic, type Reporter } from '../lib/diagnostics.ts'
import { formatIPv4, ipv4ToNumber } from '../lib/ip.ts'
import { bracketed, formatService, hostPort, type ServiceId, type ServiceKey, serviceKeyOf } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import { type Checking, type Config, destinationOf, type Fallback, type Real, type Virtual } from './model.ts'
import { type AddressBook, addressOf } from './names.ts'
import type { ParsedFile, ParsedReal, ParsedVirtual, ProbeSpec, VirtualAddress } from './parsed.ts'
import { effectivePortOf } from './values/effective-port.ts'
import { rangeFault } from './values/real-line.ts'

/** What resolving found wrong: warnings only, for DNS prevents no start. */
export interface ResolveResult {
  readonly config: Config
  readonly diagnostics: readonly Diagnostic[]
}

interface Resolving {
  readonly book: AddressBook
  readonly report: Reporter
  readonly unresolved: Set<string>
}

/** Puts addresses to a parsed file. Pure: called again with another book whenever names answer anew. */
export function resolveConfig(parsed: ParsedFile, book: AddressBook): ResolveResult {
  const report = collectDiagnostics()
  const context: Resolving = { book, report, unresolved: new Set() }
  const virtuals = new Map<ServiceKey, Virtual>()
  for (const each of parsed.virtuals) {
    const virtual = resolveVirtual(each, context)
    if (virtual === undefined) continue
    if (virtuals.has(virtual.key)) {
      const message = `${virtual.key} is already a virtual service of this file: this one is left out`
      report.warn('duplicate', message, virtual.at)
    } else {
      virtuals.set(virtual.key, virtual)
    }
  }
  const { file, digest, globals } = parsed
  const unresolved = [...context.unresolved]
  return {
    config: { file, digest, globals, virtuals: [...virtuals.values()], unresolved, addresses: book },
    diagnostics: report.diagnostics,
  }
}

function resolveVirtual(parsed: ParsedVirtual, context: Resolving): Virtual | undefined {
  const { address, reals, fallback, ...rest } = parsed
  const id = resolveId(address, context)
  if (id === undefined && address.kind === 'address') {
    const message = `${address.host.text} has no address now: this virtual service is left out until it has one`
    context.report.warn('resolve', message, parsed.at)
  }
  const resolvedReals = reals.flatMap((real) => resolveReal(real, id, context))
  const resolvedFallback = fallback === undefined ? undefined : resolveFallback(parsed, address, context)
  if (id === undefined) return undefined
  const named = numberAlike(resolvedReals)
  warnOfSharedDestinations(named, context.report)
  return { ...rest, id, key: serviceKeyOf(id), reals: named, fallback: resolvedFallback }
}

function resolveId(address: VirtualAddress, context: Resolving): ServiceId | undefined {
  if (address.kind === 'fwmark') return address
  const literal = addressOf(address.host, context.book)
  if (literal === undefined) {
    context.unresolved.add(address.host.text)
    return undefined
  }
  const { protocol, family, port } = address
  return { kind: 'address', protocol, family, address: literal, port }
}

/** One real server, or as many as the range of its line has. */
function resolveReal(real: ParsedReal, id: ServiceId | undefined, context: Resolving): Real[] {
  const first = addressOf(real.host, context.book)
  if (real.end === undefined) {
    if (first === undefined) noteUnresolved(real.host.text, real, context)
    return [makeReal(real, { host: real.host.text, address: first, id })]
  }
  const last = addressOf(real.end, context.book)
  if (first === undefined || last === undefined) {
    for (const host of [real.host, real.end]) {
      if (addressOf(host, context.book) === undefined) noteUnresolved(host.text, real, context)
    }
    return [makeReal(real, { host: `${real.host.text}->${real.end.text}`, address: undefined, id })]
  }
  const fault = rangeFault(first, last)
  if (fault !== undefined) {
    context.report.warn(fault.code, fault.message, real.at)
    return []
  }
  const start = ipv4ToNumber(first)
  return Array.from({ length: ipv4ToNumber(last) - start + 1 }, (_, i) => {
    const address = formatIPv4(start + i)
    return makeReal(real, { host: address, address, id })
  })
}

function noteUnresolved(name: string, { at }: { readonly at: ParsedReal['at'] }, context: Resolving): void {
  context.unresolved.add(name)
  const message = `invalid address (${name}) for real server (could not resolve host): it is down until it can`
  context.report.warn('resolve', message, at)
}

interface RealPlace {
  readonly host: string
  readonly address: string | undefined
  readonly id: ServiceId | undefined
}

function makeReal(real: ParsedReal, { host, address, id }: RealPlace): Real {
  const { at, pair, port, effectivePort, forwarding, weight, upper, lower } = real
  const literal = real.host.literal === undefined ? host : (address ?? host)
  const checking = checkingOf(real, { host, address, id })
  return {
    id: `${hostPort(address ?? host, port)}/${identityOf(checking)}`,
    at,
    host: literal,
    address,
    family: real.host.family,
    port,
    effectivePort,
    forwarding,
    weight,
    upper,
    lower,
    checking,
    ...(pair === undefined ? {} : { pair: { request: pair.request, receive: pair.receive } }),
  }
}

function checkingOf({ plan, port, host }: ParsedReal, { address, id, host: shown }: RealPlace): Checking {
  if (address === undefined) return { kind: 'unresolved', detail: `the name ${shown} has no address` }
  if (plan.kind === 'on' || plan.kind === 'off') return plan
  const ready = (spec: ProbeSpec): Probe => {
    const { check, options, timeoutMs, transport } = spec
    const target = { address, family: host.family, port: spec.port, transport }
    const virtual = check.seesVirtual === true && id !== undefined ? { virtual: seenBy(id, address, port) } : {}
    return makeProbe({ check, options, timeoutMs, target: { ...target, ...virtual } })
  }
  if (plan.kind === 'probe') return { kind: 'probe', probe: ready(plan.spec) }
  return { ...plan, negotiate: ready(plan.negotiate), connect: ready(plan.connect) }
}

/** The arguments of an external check. */
function seenBy(id: ServiceId, realAddress: string, realPort: number) {
  const real = { realAddress: bracketed(realAddress), realPort }
  if (id.kind === 'fwmark') return { address: formatService(id), port: 0, ...real }
  return { address: bracketed(id.address), port: id.port, ...real }
}

/** A digest of how it is checked: the id must not show an option, and must change with it. */
function identityOf(checking: Checking): string {
  if (checking.kind === 'probe') return shortDigest(checking.probe.key)
  if (checking.kind !== 'combined') return checking.kind
  return shortDigest(`${checking.connects} ${checking.negotiate.key} ${checking.connect.key}`)
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** The same server may stand in several lines: the second and later ones get a number. */
function numberAlike(reals: readonly Real[]): readonly Real[] {
  const counts = new Map<string, number>()
  return reals.map((real) => {
    const count = (counts.get(real.id) ?? 0) + 1
    counts.set(real.id, count)
    return count === 1 ? real : { ...real, id: `${real.id}#${count}` }
  })
}

function warnOfSharedDestinations(reals: readonly Real[], report: Reporter): void {
  const seen = new Map<string, Real>()
  for (const real of reals) {
    const destination = destinationOf(real)
    if (destination === undefined) continue
    const key = destinationKeyOf(destination)
    const earlier = seen.get(key)
    if (earlier !== undefined) {
      const message = `the same destination ${key} as line ${earlier.at.line}: one entry, with the weight of the last line that is up`
      report.warn('duplicate', message, real.at)
    }
    seen.set(key, earlier ?? real)
  }
}

function resolveFallback(parsed: ParsedVirtual, address: VirtualAddress, context: Resolving): Fallback | undefined {
  const { fallback } = parsed
  if (fallback === undefined) return undefined
  const { at, host, forwarding } = fallback
  const literal = addressOf(host, context.book)
  if (literal === undefined) {
    context.unresolved.add(host.text)
    const message = `could not resolve for fallback server: ${host.text}: there is no fallback until it has an address`
    context.report.warn('resolve', message, at)
    return { at, host: host.text, destination: undefined }
  }
  const isUdp = address.kind === 'address' && address.protocol === 'udp'
  const own = address.kind === 'address' ? address.port : 0
  const port = effectivePortOf(address, { port: fallback.port?.[isUdp ? 'udp' : 'tcp'] ?? own, forwarding })
  return { at, host: host.text, destination: { address: literal, port, forwarding, weight: 1, upper: 0, lower: 0 } }
}
