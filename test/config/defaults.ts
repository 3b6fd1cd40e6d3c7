import type { Alert, Globals, Virtual } from '../../src/config/model.ts'

/** A file that says nothing, for tests that build a config without one. */
export const defaultGlobals: Globals = {
  autoreload: false,
  logfile: '/var/log/ldirectord.log',
  supervised: false,
  fork: false,
  readdQuiescent: false,
  drift: 'report',
  callback: undefined,
  execute: [],
  emailAlertFrom: undefined,
  maintenanceDir: undefined,
  logFormat: 'text',
  reloadGuard: true,
  timeouts: undefined,
}

export const noAlert: Alert = {
  to: undefined,
  everySeconds: 0,
  status: [],
  smtp: undefined,
  command: undefined,
  webhook: undefined,
  serviceName: undefined,
  comment: undefined,
}

type Optional =
  | 'quiescent'
  | 'cleanstop'
  | 'failureCount'
  | 'successCount'
  | 'checkIntervalMs'
  | 'checkJitterMs'
  | 'initState'
  | 'fallbackCommand'
  | 'fallbackOnStop'
  | 'monitorFile'
  | 'alert'

/** What a virtual section has when it says nothing of it. */
export const defaultVirtual: Pick<Virtual, Optional> = {
  quiescent: false,
  cleanstop: true,
  failureCount: 1,
  successCount: 1,
  checkIntervalMs: 10_000,
  checkJitterMs: 0,
  initState: 'keep',
  fallbackCommand: undefined,
  fallbackOnStop: false,
  monitorFile: undefined,
  alert: noAlert,
}
