import {
  decodePositive,
  decodeQuoted,
  decodeQuotedOrEmpty,
  decodeQuotedOrRaw,
  firstWord,
  makeField,
  spanIn,
} from '../lib/decode.ts'
import type { Reporter, Span } from '../lib/diagnostics.ts'
import type { Directive, Field } from '../lib/fields.ts'
import { Secret } from '../lib/secret.ts'
import { compileReceive, isFault, type ReceivePattern } from './receive/receive.ts'

/** What a check asks for. */
export interface Request {
  /** As Perl ldirectord keeps it: begins with `/`, which is put in front where it is missing. */
  readonly text: string
  /** From the pair of a `real` line: for http and https a whole URL may then stand in it. */
  readonly perReal: boolean
}

export function makeRequest(text: string, perReal: boolean): Request {
  return { text: text.startsWith('/') ? text : `/${text}`, perReal }
}

export const request: Field<Request> = makeField({
  doc: 'What is asked for: a path for http and https, a URL for http_proxy, a file for ftp, a query for databases, an entry for ldap: its name, or base?attributes?scope?(filter) as in an LDAP URL.',
  fallback: '/',
  absent: makeRequest('/', false),
  decode: (directive, report) => {
    const text = decodeQuoted(directive, report, 'no request string specified')
    return text === undefined ? undefined : makeRequest(text, false)
  },
})

export const receive: Field<ReceivePattern | undefined> = makeField<ReceivePattern | undefined>({
  doc: 'A Perl regular expression that must match somewhere in the reply; without it the reply is not looked at.',
  fallback: '',
  absent: undefined,
  decode: (directive, report) => {
    const source = decodeQuotedOrEmpty(directive, report)
    if (source === undefined) return undefined
    if (source !== '') return decodePattern(source, (at, length) => spanIn(directive, 1 + at, length), report)
    report.error('value', 'invalid receive string', directive.valueAt)
    return undefined
  },
})

/**
 * The pattern of `source`, empty being none. A fault is reported at its own place: `place` turns an offset and a
 * length within `source` into a position in the file.
 */
export function decodePattern(
  source: string,
  place: (offset: number, length: number) => Span,
  report: Reporter,
): ReceivePattern | undefined {
  if (source === '') return undefined
  const compiled = compileReceive(source)
  if (isFault(compiled)) {
    report.error('pattern', `invalid receive pattern: ${compiled.message}`, place(compiled.offset, compiled.length))
    return undefined
  }
  if (compiled.why !== undefined) {
    const message = `this pattern cannot be matched in linear time (${compiled.why}): only the first ${compiled.mostBytes} bytes of a reply are searched, and not for long`
    report.warn('pattern', message, place(0, source.length))
  }
  return compiled
}

export const httpmethod: Field<'GET' | 'HEAD'> = makeField<'GET' | 'HEAD'>({
  doc: 'GET or HEAD. With HEAD there is no body for receive to match.',
  fallback: 'GET',
  absent: 'GET',
  decode: (directive, report) => {
    const word = firstWord(directive)
    const method = word?.text.toUpperCase()
    if (method === 'GET' || method === 'HEAD') return method
    report.error('value', 'httpmethod must be GET or HEAD', word?.at ?? directive.valueAt)
    return undefined
  },
})

export const virtualhost: Field<string | undefined> = makeField<string | undefined>({
  doc: 'Host name to ask for, in the Host header and, for TLS, as server name.',
  fallback: 'the address of the real server',
  absent: undefined,
  // optional quotes, then up to the next quote or the end; blanks at the end are kept, and empty is a value
  decode: ({ value }) => /^"?([^"]*)/.exec(value)?.[1] ?? '',
})

export const login: Field<string> = text({
  doc: 'User name to log in with.',
  fallback: '',
  message: 'invalid login string',
})

export const database: Field<string> = text({
  doc: 'Name of the database; for oracle the SID, or the name of a service.',
  fallback: '',
  message: 'invalid database',
})

export const passwd: Field<Secret> = secretText('Password to log in with.', 'invalid password')

export const secret: Field<Secret> = secretText('Secret shared with a radius server.', 'invalid secret')

export const checkcommand: Field<string> = makeField({
  doc: 'Program of an external check: a path, arguments after blanks. Exit status 0 is up.',
  fallback: '/bin/true',
  absent: '/bin/true',
  decode: (directive, report) => decodeQuotedOrRaw(directive, report, 'invalid check command'),
})

export const checkcount: Field<number> = makeField({
  doc: 'How often a ping check asks before it gives up. Deprecated: failurecount counts failed checks of every kind.',
  fallback: '1',
  absent: 1,
  decode: (directive, report) => {
    const value = decodePositive(directive, report, 'invalid check count')
    report.warn('deprecated', 'checkcount option is deprecated', directive.nameAt, 'failurecount may be what you want')
    return value
  },
})

interface TextParts {
  readonly doc: string
  readonly fallback: string
  /** For an empty value. */
  readonly message: string
}

function text({ doc, fallback, message }: TextParts): Field<string> {
  return makeField({ doc, fallback, absent: '', decode: (d, report) => decodeQuoted(d, report, message) })
}

function secretText(doc: string, message: string): Field<Secret> {
  const decode = (directive: Directive, report: Reporter): Secret | undefined => {
    const value = decodeQuoted(directive, report, message)
    return value === undefined ? undefined : new Secret(value)
  }
  return makeField({ doc, fallback: '', absent: new Secret(''), decode })
}
