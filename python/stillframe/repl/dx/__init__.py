"""`dx`: expressions of C++ with lists that can be asked: `items.Where(x => x.m_id > 3).OrderBy(x => x.m_name)`."""
