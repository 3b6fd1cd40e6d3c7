import { codeOf, messageOf } from '../../lib/errors.ts'
import { descriptorOf, mayBeSid } from './descriptor.ts'
import type { OracleFault, OracleMessage, OracleQuestion } from './messages.ts'
import { watchSockets } from './sockets.ts'

type Driver = typeof import('oracledb')
type Connection = import('oracledb').Connection

/** The driver is an optional package, loaded on first use. */
export const loadDriver = async (): Promise<Driver> => (await import('oracledb')).default

/**
 * Logs in, asks once, and says what came of it. For a thread of its own: the driver opens its connections itself, has
 * no signal, and is not made for a server that means harm.
 */
export async function converse(
  question: OracleQuestion,
  tell: (message: OracleMessage) => void,
  load: () => Promise<Driver> = loadDriver,
): Promise<void> {
  let driver: Driver
  try {
    driver = await load()
  } catch {
    tell({ kind: 'missing' })
    return
  }
  const sockets = watchSockets({
    connected: (address, port) => {
      const isOther = address !== question.address || port !== question.port
      tell({ kind: 'step', note: isOther ? `sent on to ${address} port ${port}, logging in` : 'logging in' })
    },
  })
  try {
    const connection = await logIn(driver, question, tell)
    tell({ kind: 'step', note: 'waiting for rows' })
    tell({ kind: 'answer', rows: await hasRows(connection, question.sql) })
    await connection.close()
    tell({ kind: 'left' })
  } catch (error) {
    if (sockets.isEndless()) tell({ kind: 'endless' })
    else tell({ kind: 'fault', fault: faultOf(error, sockets.systemError()) })
  } finally {
    sockets.destroy()
  }
}

/** Perl ldirectord gives `database` as a SID. A database of today may have a service of that name only. */
async function logIn(
  driver: Driver,
  question: OracleQuestion,
  tell: (message: OracleMessage) => void,
): Promise<Connection> {
  const { login: user, password } = question
  const connect = (as: 'SID' | 'SERVICE_NAME'): Promise<Connection> => {
    tell({ kind: 'step', note: 'connecting' })
    return driver.getConnection({ user, password, connectString: descriptorOf(question, as) })
  }
  if (!mayBeSid(question.database)) return await connect('SERVICE_NAME')
  try {
    return await connect('SID')
  } catch (error) {
    // ORA-12505, the listener knows no such SID
    if (codeOf(error) !== 'NJS-519') throw error
    tell({ kind: 'step', note: 'no such SID, asking for the service of that name' })
    return await connect('SERVICE_NAME')
  }
}

/** A row, or one that was changed. */
async function hasRows(connection: Connection, sql: string): Promise<boolean> {
  const result = await connection.execute(sql, [], { autoCommit: true, maxRows: 1, fetchArraySize: 1, prefetchRows: 2 })
  return (result.rows?.length ?? 0) > 0 || (result.rowsAffected ?? 0) > 0
}

function faultOf(error: unknown, system: string | undefined): OracleFault {
  const fault = { code: codeOf(error) ?? '', message: messageOf(error) }
  return system === undefined ? fault : { ...fault, system }
}
