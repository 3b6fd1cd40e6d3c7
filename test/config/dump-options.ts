import { Secret } from '../../src/lib/secret.ts'

/** The options that are not at their defaults, as ` name=value` each. */
export function bareRequest(options: Readonly<Record<string, unknown>>): string {
  return Object.keys(options)
    .sort()
    .map((name) => [name, shown(options[name])] as const)
    .filter(
      ([name, value]) => value !== undefined && (value !== '""' || name === 'virtualhost') && value !== DEFAULTS[name],
    )
    .map(([name, value]) => ` ${name}=${value}`)
    .join('')
}

const DEFAULTS: Readonly<Record<string, string>> = {
  request: '"/"',
  httpmethod: '"GET"',
  checkcount: '1',
  tlsverify: 'false',
  starttls: '"no"',
  virtualhost: 'undefined',
}

function shown(value: unknown): string | undefined {
  if (value instanceof Secret) return value.isEmpty ? undefined : JSON.stringify(value.reveal())
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if ('text' in value && 'perReal' in value)
    return `${JSON.stringify(value.text)}${value.perReal === true ? ' (own)' : ''}`
  if ('source' in value) return JSON.stringify(value.source)
  return JSON.stringify(value)
}
