-- The lock file of the program that owns a lease (store::program_lock). Other programs find out with it that the owner has
-- ended. NULL during the delay after a request, and if the owner could not create the file.
ALTER TABLE lease ADD COLUMN program_id TEXT;
