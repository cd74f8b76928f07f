// Prints a line for each item that pst-extractor finds in a PST: node pst-readers.js FILE
const { PSTFile } = require('pst-extractor');

const todo = [new PSTFile(process.argv[2]).getRootFolder()];
while (todo.length > 0) {
  const folder = todo.pop();
  if (folder.hasSubfolders) {
    todo.push(...folder.getSubFolders());
  }
  let item = folder.contentCount > 0 ? folder.getNextChild() : null;
  while (item != null) {
    console.log(`${folder.displayName}/${item.subject} ${item.numberOfAttachments}`.replace(/\s+/g, ' '));
    item = folder.getNextChild();
  }
}
