/** Names of the tables of the CRUD logs. What they are made of takes long to load. */
export const crudTableNames = ['crud_logs', 'crud_daily', 'crud_weekly'] as const
export type CrudTableName = (typeof crudTableNames)[number]
