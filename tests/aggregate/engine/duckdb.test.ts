import { openDuckDb } from '../../../jobs/aggregate/engine/duckdb.ts'
import { engineConformance } from './conformance.ts'

// So few rows at once that each merge of several files has several parts.
engineConformance('duckdb', (settings) => openDuckDb({ ...settings, partRows: 8 }))
