import type { Registry } from '../check/registry.ts'
import { collectDiagnostics, type Reporter } from '../lib/diagnostics.ts'
import type { Directive, Fields, OptionsOf } from '../lib/fields.ts'
import type { Family } from '../model/service.ts'
import { adviseSection } from './advice.ts'
import { type CheckSettings, planCheck } from './check-plan.ts'
import { describeChecks } from './check-text.ts'
import { formatCheckType } from './directives/check-type.ts'
import { decodeAll } from './directives/directive.ts'
import type { globalFields } from './directives/global.ts'
import { readNetmask } from './directives/netmask.ts'
import { credentialDefaults, serviceOfPort } from './directives/service.ts'
import { virtualFields } from './directives/virtual.ts'
import type { Section } from './lexer.ts'
import type { Alert, MailServer } from './model.ts'
import { monitorTextOf } from './monitor-text.ts'
import type { ParsedFallback, ParsedReal, ParsedVirtual, RealLine, VirtualAddress } from './parsed.ts'
import type { ServiceNames } from './services.ts'
import { effectivePortOf } from './values/effective-port.ts'
import { readFallback } from './values/fallback-line.ts'
import { readReal } from './values/real-line.ts'
import { readVirtualAddress } from './values/virtual-address.ts'

export type GlobalValues = OptionsOf<typeof globalFields>
export type SectionValues = OptionsOf<typeof virtualFields>

/** What a section is read with. */
export interface SectionContext {
  readonly registry: Registry
  readonly services: ServiceNames
  readonly hostname: string
  readonly checkFields: Fields
  readonly globals: GlobalValues
  /** Check directives of the top level that a section inherits. */
  readonly inherited: readonly Directive[]
  /** The fallback of the top level, by family. */
  readonly fallbacks: Readonly<Record<Family, ParsedFallback | undefined>>
  readonly report: Reporter
}

/** Reads a whole section, whatever is wrong with parts of it; undefined when there is no virtual service to speak of. */
export function readSection(section: Section, context: SectionContext): ParsedVirtual | undefined {
  const { directives, opener } = section
  const { report, services } = context
  const values = decodeAll(virtualFields, directives, report)
  const address = readVirtualAddress({ opener, protocol: values.protocol, services }, report)
  const family: Family = opener.name === 'virtual6' ? 6 : 4
  const service = values.service ?? (address === undefined ? 'none' : serviceOf(address, context.registry))
  const settings = checkSettings({ section, values, address, service }, context)
  const lines = directives.map((each) => realOf(each, family, context)).filter((line) => line !== undefined)
  const reals = lines.map((line) => finishReal(line, { address, settings }, report))
  const netmask = readNetmask(values.netmask, family, report)
  const own = fallbackOf(section, address, context)
  if (address === undefined) return undefined
  adviseSection({ section, values, address, settings, reals, fallback: own, context })
  return {
    at: opener.valueAt,
    address,
    ...serviceSettings(values, address, netmask),
    ...inheritedSettings(values, context),
    checkType: formatCheckType(values.checktype),
    service,
    monitorText: monitorTextOf(settings, values),
    checkText: describeChecks([...context.inherited, ...directives], settings, values),
    reals,
    fallback: own ?? context.fallbacks[family],
  }
}

function serviceOf(address: VirtualAddress, registry: Registry): string {
  return address.kind === 'fwmark' ? 'none' : serviceOfPort(address.port, registry)
}

interface SectionParts {
  readonly section: Section
  readonly values: SectionValues
  readonly address: VirtualAddress | undefined
  readonly service: string
}

function checkSettings({ section, values, address, service }: SectionParts, context: SectionContext): CheckSettings {
  const { globals, registry } = context
  const [checks, negotiates] = [values.checktimeout, values.negotiatetimeout]
  return {
    registry,
    service,
    type: values.checktype,
    isUdp: address?.kind === 'address' && address.protocol === 'udp',
    isMark: address?.kind === 'fwmark',
    checkPort: values.checkport,
    // behaviour reference 2.7: each falls back on the other of its own place first
    timeouts: {
      checktimeout: checks ?? negotiates ?? globals.checktimeout ?? globals.negotiatetimeout ?? 5,
      negotiatetimeout: negotiates ?? checks ?? globals.negotiatetimeout ?? globals.checktimeout ?? 30,
    },
    options: checkOptions(section, service, context),
  }
}

/** Every check directive is read, also those that no check of this section uses: their faults are faults. */
function checkOptions(section: Section, service: string, context: SectionContext): Readonly<Record<string, unknown>> {
  const { directives, opener } = section
  const options: Record<string, unknown> = decodeAll(context.checkFields, directives, context.report)
  const silent = collectDiagnostics()
  const given = new Set(directives.map((directive) => directive.name))
  const defaults = Object.entries(credentialDefaults(service, context.hostname)).map(([name, value]) => {
    return { name, value: `"${value}"`, nameAt: opener.nameAt, valueAt: opener.valueAt }
  })
  for (const directive of [...context.inherited, ...defaults]) {
    if (given.has(directive.name)) continue
    options[directive.name] = context.checkFields[directive.name]?.decode(directive, silent)
  }
  return options
}

function realOf(directive: Directive, family: Family, context: SectionContext): RealLine | undefined {
  if (directive.name !== 'real' && directive.name !== 'real6') return undefined
  if (isOfFamily(directive, 'real', { family, report: context.report }))
    return readReal(directive, { family, services: context.services }, context.report)
  return undefined
}

interface FamilyRule {
  readonly family: Family
  readonly report: Reporter
}

function isOfFamily(directive: Directive, base: 'real' | 'fallback', { family, report }: FamilyRule): boolean {
  const wanted = family === 6 ? `${base}6` : base
  if (directive.name === wanted) return true
  const message = `cannot specify "${directive.name}" here.  please use "${wanted}" instead`
  report.error('misplaced', message, directive.nameAt)
  return false
}

interface RealParts {
  readonly address: VirtualAddress | undefined
  readonly settings: CheckSettings
}

function finishReal(line: RealLine, { address, settings }: RealParts, report: Reporter): ParsedReal {
  const effectivePort = address === undefined ? line.port : effectivePortOf(address, line)
  return { ...line, effectivePort, plan: planCheck(settings, line, report) }
}

function fallbackOf(section: Section, address: VirtualAddress | undefined, context: SectionContext) {
  const family: Family = section.opener.name === 'virtual6' ? 6 : 4
  const { report, services } = context
  const isUdp = address?.kind === 'address' && address.protocol === 'udp'
  let fallback: ParsedFallback | undefined
  for (const directive of section.directives) {
    if (directive.name !== 'fallback' && directive.name !== 'fallback6') continue
    if (!isOfFamily(directive, 'fallback', { family, report })) continue
    fallback = readFallback(directive, { services, protocols: [isUdp ? 'udp' : 'tcp'] }, report) ?? fallback
  }
  return fallback
}

function serviceSettings(values: SectionValues, address: VirtualAddress, netmask: string | undefined) {
  const isUdp = address.kind === 'address' && address.protocol === 'udp'
  const wholeClient = address.family === 6 ? '128' : '255.255.255.255'
  const timeoutSeconds = values.persistent
  const persistence = timeoutSeconds === undefined ? undefined : { timeoutSeconds, netmask: netmask ?? wholeClient }
  return {
    settings: {
      scheduler: values.scheduler,
      schedulerFlags: values.schedflags,
      persistence,
      onePacket: values.ops && isUdp,
    },
  }
}

function inheritedSettings(values: SectionValues, { globals }: SectionContext) {
  const interval = (globals.fork ? values.checkinterval : undefined) ?? globals.checkinterval ?? 10
  const alert: Alert = {
    to: values.emailalert ?? globals.emailalert,
    everySeconds: values.emailalertfreq ?? globals.emailalertfreq ?? 0,
    status: values.emailalertstatus ?? globals.emailalertstatus ?? ['starting', 'running', 'stopping', 'reloading'],
    smtp: mailServer(values, globals),
    command: values.alertcommand ?? globals.alertcommand,
    webhook: values.alertwebhook ?? globals.alertwebhook,
    serviceName: values.servicename,
    comment: values.comment,
  }
  return {
    quiescent: values.quiescent ?? globals.quiescent ?? false,
    cleanstop: values.cleanstop ?? globals.cleanstop ?? true,
    failureCount: values.failurecount ?? globals.failurecount ?? 1,
    successCount: values.successcount ?? globals.successcount ?? 1,
    checkIntervalMs: interval * 1000,
    checkJitterMs: (values.checkjitter ?? globals.checkjitter ?? 0) * 1000,
    initState: values.initstate ?? globals.initstate ?? 'keep',
    fallbackCommand: values.fallbackcommand ?? globals.fallbackcommand,
    fallbackOnStop: values.fallbackonstop ?? globals.fallbackonstop ?? false,
    monitorFile: values.monitorfile,
    alert,
  }
}

function mailServer(values: SectionValues, globals: GlobalValues): MailServer | undefined {
  const host = values.smtp ?? globals.smtp
  if (host === undefined) return undefined
  return {
    host,
    port: values.smtpport ?? globals.smtpport ?? 25,
    starttls: values.smtpstarttls ?? globals.smtpstarttls ?? 'try',
    login: values.smtplogin ?? globals.smtplogin,
    password: values.smtppasswd ?? globals.smtppasswd,
  }
}
