import type { CheckResult } from '../../model/verdict.ts'

type Told = Exclude<CheckResult, { verdict: 'unknown' }>

/** The last column of a monitor line: Perl ldirectord's words where it has some (behaviour reference 5.2). */
export function monitorMessage(service: string, result: Told): string {
  switch (service) {
    case 'http':
    case 'https':
    case 'http_proxy':
      return httpMessage(result)
    case 'dns':
      return dnsMessage(result)
    case 'ldap':
    case 'ldaps':
      return ldapMessage(result)
    default:
      return '-'
  }
}

/** The number form writes for its connects what connect writes. */
const connected = 'connected'

/** The status line; what went wrong before there was one has status 500 in Perl's library. */
function httpMessage(result: Told): string {
  if (result.detail === connected) return '-'
  const detail = result.detail.replace(/^HTTP (?=[0-9]{3}\b)/, '')
  if (result.verdict === 'up') return detail.replace(/, (?:(?:more than )?[0-9]+ bytes|receive pattern found)$/, '')
  if (result.reason === 'timeout') return '500 Timeout Alarm'
  return /^[0-9]{3}\b/.test(detail) ? detail : `500 ${detail}`
}

function dnsMessage(result: Told): string {
  if (result.verdict === 'up') return result.detail === connected ? '-' : 'Success'
  if (result.reason === 'mismatch') return 'Response mismatch'
  return result.reason === 'timeout' ? 'Connection timed out' : result.detail
}

function ldapMessage(result: Told): string {
  if (result.verdict === 'up') return result.detail === connected ? '-' : 'Success'
  switch (result.reason) {
    case 'auth':
      return 'Bind failed'
    case 'mismatch':
      return result.detail.startsWith('the search found') ? 'No answer received' : 'Response mismatch'
    case 'protocol':
      return 'No answer received'
    default:
      return 'Connection failed'
  }
}

/** The characters that would break a line or a column. */
export function escapeMessage(text: string): string {
  return text.replace(/[%|\r\n]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
