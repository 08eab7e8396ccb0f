import { expect, it } from '@jest/globals'
import { memoryStore } from '../../../../jobs/iceberg/catalog/memory.ts'
import type { CatalogStore } from '../../../../jobs/iceberg/catalog/stored/catalog-store.ts'
import { storedCatalog } from '../../../../jobs/iceberg/catalog/stored/stored-catalog.ts'
import { TableAlreadyExistsError } from '../../../../jobs/iceberg/errors.ts'
import { lakeInMemory, webLogs, webLogsSchema } from '../../tables.ts'

it.each(['pointer', 'entries', 'insert'] as const)(
  'a table that another run makes while this one is at "%s" is there already, not another one in its folder',
  async (at) => {
    const { effects } = lakeInMemory()
    const store = memoryStore('local')
    const others = storedCatalog(store, 'memory://lake', effects)
    await others.createNamespace(webLogs.namespace)
    const theirs = await others.stageCreate(webLogs, { schema: webLogsSchema })
    let isArmed = false
    /** Right behind the answer, or ahead of what is written. */
    const meanwhile = async (): Promise<void> => {
      if (!isArmed) return
      isArmed = false
      await others.create(theirs, [])
    }
    const own: CatalogStore = {
      ...store,
      async pointer(identifier) {
        const found = await store.pointer(identifier)
        if (at === 'pointer') await meanwhile()
        return found
      },
      async entries() {
        const found = await store.entries()
        if (at === 'entries') await meanwhile()
        return found
      },
      async insert(...given) {
        if (at === 'insert') await meanwhile()
        return store.insert(...given)
      },
    }
    const ours = storedCatalog(own, 'memory://lake', effects)
    const staged = await ours.stageCreate(webLogs, { schema: webLogsSchema })
    isArmed = true
    await expect(ours.create(staged, [])).rejects.toBeInstanceOf(TableAlreadyExistsError)
    expect((await others.load(webLogs)).metadata['table-uuid']).toBe(theirs.metadata['table-uuid'])
  },
)
