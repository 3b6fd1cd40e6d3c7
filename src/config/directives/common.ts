import {
  bareValue,
  decodeNumber,
  decodePositive,
  decodeRaw,
  decodeSeconds,
  decodeYesNo,
  quotedContent,
  spanIn,
} from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { Secret } from '../../lib/secret.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { Alert } from '../model.ts'
import { oneOf, optional, structural } from './directive.ts'
import { decodeFallbackCommand } from './fallback-command.ts'

/** Where a directive stands: some of Perl ldirectord's texts and rules differ. */
export type Scope = 'global' | 'virtual'

/** Directives that stand at the top level and in a virtual section, which then has its own value. */
export function commonFields(scope: Scope) {
  return { ...timingFields(scope), ...serviceFields(scope), ...alertFields(scope) }
}

function timingFields(scope: Scope) {
  const interval = scope === 'global' ? 'invalid check interval value' : 'invalid checkinterval'
  return {
    checktimeout: optional({
      doc: 'Seconds for connect, ping and external checks. Where it is absent, negotiatetimeout of the same place counts.',
      fallback: '5',
      decode: (d, report) => decodeSeconds(d, report, 'invalid check timeout value'),
    }),
    negotiatetimeout: optional({
      doc: 'Seconds for a negotiate check. Where it is absent, checktimeout of the same place counts.',
      fallback: '30',
      decode: (d, report) => decodeSeconds(d, report, 'invalid negotiate timeout value'),
    }),
    checkinterval: optional({
      doc: 'Seconds from one check of a real server to the next. In a virtual section it counts only with fork = yes.',
      fallback: '10',
      decode: (d, report) => decodeSeconds(d, report, interval),
    }),
    failurecount: optional({
      doc: 'How many checks in a row must fail before a real server is down.',
      fallback: '1',
      decode: (d, report) => decodePositive(d, report, 'invalid failure count value'),
    }),
    successcount: optional({
      doc: 'How many checks in a row must succeed before a real server that is down is up again.',
      fallback: '1',
      decode: (d, report) => decodePositive(d, report, 'invalid success count value'),
    }),
    checkjitter: optional({
      doc: 'Seconds by which each check but the first comes later at random, at most; 0: none. Less than checkinterval.',
      fallback: '0',
      decode: (d, report) => decodeNumber(d, report, 'invalid check jitter value'),
    }),
    initstate: optional<'keep' | 'up' | 'down'>({
      doc: 'What a real server is before its first result: keep as the table has it, up, or down, which takes it out also where it was serving.',
      fallback: 'keep',
      decode: oneOf(['keep', 'up', 'down']),
    }),
  }
}

function serviceFields(scope: Scope) {
  return {
    fallback: structural(
      'Server of last resort, used when every real server is down: SERVER[:PORT] [gate|masq|ipip].',
      '',
    ),
    fallback6: structural('As fallback, for IPv6 virtual services; the address in brackets.', ''),
    fallbackcommand: optional({
      doc: 'Shell command that runs with "start" when no real server is up any more and "stop" when one is again, then the address and the protocol.',
      fallback: '',
      decode: (d, report) => decodeFallbackCommand(d, report, scope),
    }),
    fallbackonstop: optional({
      doc: 'yes: fallbackcommand runs with "stop" also when the daemon, or the virtual service, ends while no real server is up.',
      fallback: 'no',
      decode: decodeYesNo,
    }),
    quiescent: optional({
      doc: 'yes: a real server that is down keeps its entry, with weight 0; no: its entry is deleted.',
      fallback: 'no',
      decode: decodeYesNo,
    }),
    cleanstop: optional({
      doc: 'no: the table is left as it is when the daemon stops.',
      fallback: 'yes',
      decode: decodeYesNo,
    }),
  }
}

function alertFields(scope: Scope) {
  return {
    ...channelFields(),
    emailalert: optional({
      doc: 'Addresses, with commas between them, that are told by mail when a real server or the fallback comes in or goes out.',
      fallback: '',
      decode: decodeAddressee,
    }),
    emailalertfreq: optional({
      doc: 'Seconds between reminders that a real server is still down; 0: none.',
      fallback: '0',
      decode: decodeFrequency,
    }),
    emailalertstatus: optional({
      doc: 'In which states of the daemon alerts are sent: all, none, or some of starting, running, stopping, reloading.',
      fallback: 'all',
      decode: decodeStatus,
    }),
    smtp: optional({
      doc: 'Mail server; without it the local sendmail program is used.',
      fallback: '',
      decode: decodeMailServer,
    }),
    smtpport: optional({
      doc: 'Port of the mail server.',
      fallback: '25',
      decode: (d, report) => decodePort(d, report),
    }),
    smtpstarttls: optional<'yes' | 'no' | 'try'>({
      doc: 'TLS to the mail server: try takes it where it is offered, whoever answers; yes insists on it and on a valid certificate.',
      fallback: 'try',
      decode: oneOf(['yes', 'no', 'try']),
    }),
    smtplogin: optional({
      doc: 'Account at the mail server.',
      fallback: '',
      decode: (d, report) => readText(d, report, scope),
    }),
    smtppasswd: optional({
      doc: 'Password of that account.',
      fallback: '',
      decode: (d, report) => {
        const text = readText(d, report, scope)
        return text === undefined ? undefined : new Secret(text)
      },
    }),
  }
}

/** Ways to tell of a change beside mail. */
function channelFields() {
  return {
    alertcommand: optional({
      doc: 'Program that is run for each alert, with the event as JSON on standard input; no shell, words at blanks.',
      fallback: '',
      decode: (d, report) => decodeCommand(d, report),
    }),
    alertwebhook: optional({
      doc: 'URL that gets each alert as a POST of JSON.',
      fallback: '',
      decode: decodeWebhook,
    }),
  }
}

/** A new directive: in quotes where it has blanks at its ends or a #. */
function readText(directive: Directive, report: Reporter, scope: Scope): string | undefined {
  const quoted = quotedContent(directive)
  const value = quoted ?? (scope === 'global' ? bareValue(directive) : directive.value)
  if (value !== '') return value
  report.error('value', `${directive.name} is empty`, directive.valueAt)
  return undefined
}

function decodePort(directive: Directive, report: Reporter): number | undefined {
  const bare = bareValue(directive)
  const port = /^[0-9]{1,5}$/.test(bare) ? Number(bare) : 0
  if (port >= 1 && port <= 65_535) return port
  report.error('range', `${directive.name} must be a number from 1 to 65535`, directive.valueAt)
  return undefined
}

function decodeCommand(directive: Directive, report: Reporter): readonly string[] | undefined {
  const words = (quotedContent(directive) ?? bareValue(directive)).split(/\s+/).filter((word) => word !== '')
  if (words[0]?.startsWith('/') === true) return words
  report.error('value', 'alertcommand must be the whole path of a program', directive.valueAt)
  return undefined
}

function decodeWebhook(directive: Directive, report: Reporter): string | undefined {
  const text = quotedContent(directive) ?? bareValue(directive)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text
  report.error('value', 'alertwebhook must be an http or https URL', directive.valueAt)
  return undefined
}

function decodeAddressee(directive: Directive, report: Reporter): string | undefined {
  const value = decodeRaw(directive, report, 'no email address specified')
  if (value === undefined) return undefined
  const quoted = /^"(.*)"$/.exec(value)?.[1]
  if (quoted === undefined && value.startsWith('"')) {
    report.warn('misread', 'the quotes stay part of the address: something follows them', directive.valueAt)
  }
  return quoted ?? value
}

function decodeFrequency(directive: Directive, report: Reporter): number | undefined {
  const digits = /^[0-9]+/.exec(directive.value)
  if (digits !== null) return Math.min(Number(digits[0]), 2_147_483)
  report.error('value', 'invalid email alert frequency', directive.valueAt)
  return undefined
}

const STATES = ['starting', 'running', 'stopping', 'reloading'] as const
const WORDS: readonly string[] = ['all', 'none', ...STATES]

function decodeStatus(directive: Directive, report: Reporter): Alert['status'] | undefined {
  const bare = bareValue(directive)
  const words = bare === '' ? ['none'] : bare.split(',').map((word) => word.trim())
  const wrong = words.find((word) => !WORDS.includes(word))
  if (wrong !== undefined) {
    const at = wrong === '' ? directive.valueAt : spanIn(directive, bare.indexOf(wrong), wrong.length)
    report.error('value', `invalid email alert status at: "${wrong}"`, at, didYouMean(wrong, WORDS))
    return undefined
  }
  const other = words.find((word) => word !== 'none')
  if (words.includes('none') && other !== undefined) {
    report.error('value', `invalid email alert status: "${other}" specified with "none"`, directive.valueAt)
    return undefined
  }
  return STATES.filter((state) => words.includes(state) || words.includes('all'))
}

function decodeMailServer(directive: Directive, report: Reporter): string | undefined {
  const server = /^[A-Za-z0-9._+-]+/.exec(directive.value)
  if (server !== null) return server[0]
  const hint = directive.value.startsWith('"') ? 'write it without quotes' : undefined
  report.error('value', 'invalid SMTP server address', directive.valueAt, hint)
  return undefined
}
