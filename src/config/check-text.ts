import type { Directive } from '../lib/fields.ts'
import { type CheckSettings, checkOfService } from './check-plan.ts'
import { formatCheckType } from './directives/check-type.ts'
import type { SectionValues } from './section.ts'

/** Directives whose values are never shown. */
export const SECRET_DIRECTIVES: ReadonlySet<string> = new Set(['passwd', 'secret'])

/** What directives, inherited ones first, say of a section's checks, as lines of a configuration for printing; secrets are comments without a value. */
export function describeChecks(
  directives: readonly Directive[],
  settings: CheckSettings,
  values: SectionValues,
): readonly string[] {
  const lines = [
    `checktype = ${formatCheckType(settings.type)}`,
    `service = ${settings.service}`,
    `checktimeout = ${settings.timeouts.checktimeout}`,
    `negotiatetimeout = ${settings.timeouts.negotiatetimeout}`,
  ]
  if (values.checkport !== undefined) lines.push(`checkport = ${values.checkport}`)
  const last = new Map<string, Directive>()
  for (const directive of directives) {
    if (Object.hasOwn(settings.options, directive.name)) last.set(directive.name, directive)
  }
  for (const [name, { value }] of last) {
    lines.push(SECRET_DIRECTIVES.has(name) ? `# ${name} = (hidden)` : `${name} = ${value}`)
  }
  return lines
}

/** The names of the directives that the checks of a section look at. */
export function directivesInUse(settings: CheckSettings): ReadonlySet<string> {
  const { registry, type, isUdp } = settings
  const reach = registry.ofType(isUdp ? 'ping' : 'connect')
  const negotiate = checkOfService(settings) ?? reach
  const checks =
    type.word === 'negotiate'
      ? [negotiate]
      : type.word === 'combined'
        ? [negotiate, reach]
        : [type.word === 'connect' ? reach : registry.ofType(type.word)]
  return new Set(checks.flatMap((check) => Object.keys(check?.fields ?? {})))
}
