/** What a series is changed with where nothing of it is deleted. */
export const noneDeleted = { deletedWith: [], rivals: [] } as const;
