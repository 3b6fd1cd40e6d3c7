import { execFileSync } from 'node:child_process'
import { openKernelTable } from '../../src/backend/netlink/adapter.ts'
import { tableBackendContract } from '../contract/table-backend.ts'

describe("The kernel's table", () => {
  tableBackendContract({
    open: async () => {
      execFileSync('ipvsadm', ['-C'])
      return await openKernelTable()
    },
  })
})
