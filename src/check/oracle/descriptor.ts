import type { OracleQuestion } from './messages.ts'

/** What Oracle lets a SID or a service name consist of; anything else could close the descriptor's brackets. */
export function isDatabaseName(name: string): boolean {
  return /^[\w.$#-]{1,255}$/.test(name)
}

/** A SID has no dot, most service names have one. */
export function mayBeSid(name: string): boolean {
  return !name.includes('.')
}

/** The connect descriptor (Database Net Services Reference, Local Naming Parameters). Its time limits count seconds. */
export function descriptorOf(question: OracleQuestion, as: 'SID' | 'SERVICE_NAME'): string {
  const { address, port, database, limitSeconds: limit } = question
  const limits = `(TRANSPORT_CONNECT_TIMEOUT=${limit})(CONNECT_TIMEOUT=${limit})(RETRY_COUNT=0)`
  const place = `(ADDRESS=(PROTOCOL=TCP)(HOST=${address})(PORT=${port}))`
  return `(DESCRIPTION=${limits}${place}(CONNECT_DATA=(${as}=${database})))`
}
