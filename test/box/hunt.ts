export const hunt = async (_: ReadonlyArray<string>): Promise<number> => 0
